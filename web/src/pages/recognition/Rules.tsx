/** The user's own rules as a table, and those that come with the program to be read. */
import {
  Accordion,
  ActionIcon,
  Anchor,
  Badge,
  Button,
  Group,
  Skeleton,
  Stack,
  Table,
  Text,
  Title,
} from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import type { UseQueryResult } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { components } from '../../api/schema';
import { Empty } from '../../shared/DataList';
import { useFormat } from '../../shared/format';
import { ProblemNote } from '../../shared/ProblemNote';
import type { Bundled, Rule } from './api';
import classes from './Recognition.module.css';
import { RuleDialog } from './RuleDialog';
import { useTeach } from './useTeach';
import { RuleText } from './Why';

type Props = { query: UseQueryResult<components['schemas']['RecognitionRules']>; mayWork: boolean };

const KINDS = ['invoice', 'offer', 'other', 'for', 'against'] as const;

export function Rules({ query, mayWork }: Props) {
  const { t } = useTranslation('recognition');
  const teach = useTeach();
  const [adding, setAdding] = useState(false);
  if (query.isError && query.data === undefined) {
    return <ProblemNote error={query.error} retry={() => query.refetch()} />;
  }
  if (query.data === undefined) {
    return <Skeleton height={260} role="status" aria-label={t('tab.rules')} />;
  }
  const { own, bundled } = query.data;
  return (
    <Stack gap="xl">
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={2}>{t('own')}</Title>
          {mayWork && (
            <Button
              variant="default"
              size="xs"
              leftSection={<IconPlus size={14} aria-hidden />}
              onClick={() => setAdding(true)}
            >
              {t('rule.new')}
            </Button>
          )}
        </Group>
        {own.length === 0 ? (
          <Empty title={t('noRules.title')} text={t('noRules.text')} />
        ) : (
          <OwnRules rules={own} mayWork={mayWork} />
        )}
      </Stack>
      <Stack gap="sm">
        <div>
          <Title order={2}>{t('bundled')}</Title>
          <Text size="sm" c="dimmed" maw={640}>
            {t('bundledText')}
          </Text>
        </div>
        <Accordion variant="contained" multiple>
          {KINDS.map((kind) => {
            const rules = bundled.filter((rule) => rule.kind === kind);
            return rules.length === 0 ? null : (
              <Accordion.Item key={kind} value={kind}>
                <Accordion.Control>
                  <Text size="sm" fw={500}>
                    {t(`sort.${kind}`, { count: rules.length })}
                  </Text>
                </Accordion.Control>
                <Accordion.Panel>
                  <BundledRules rules={rules} label={t(`sort.${kind}`, { count: rules.length })} />
                </Accordion.Panel>
              </Accordion.Item>
            );
          })}
        </Accordion>
      </Stack>
      {adding && <RuleDialog then="never" save={teach.add} close={() => setAdding(false)} />}
    </Stack>
  );
}

const COLORS: Record<Rule['then'], string> = { never: 'gray', invoice: 'blue', offer: 'violet' };

function OwnRules({ rules, mayWork }: { rules: readonly Rule[]; mayWork: boolean }) {
  const { t } = useTranslation('recognition');
  const format = useFormat();
  const teach = useTeach();
  return (
    <ul className={classes.list} aria-label={t('own')}>
      {rules.map((rule) => (
        <li key={rule.id} className={classes.rule}>
          <Badge size="sm" radius="sm" variant="light" color={COLORS[rule.then]} tt="none" fw={500}>
            {t(`then.${rule.then}`)}
          </Badge>
          <div className="breaks">
            <RuleText rule={rule} />
          </div>
          <div className="breaks">
            <OfMail rule={rule} />
            <Text size="xs" c="dimmed" className="numbers">
              {t('madeBy', { by: rule.by, at: format.brief(rule.at) })}
            </Text>
          </div>
          {mayWork && (
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={t('column.delete')}
              onClick={() => teach.remove(rule)}
            >
              <IconTrash size={16} aria-hidden />
            </ActionIcon>
          )}
        </li>
      ))}
    </ul>
  );
}

/** The mail that a rule was made of. */
function OfMail({ rule }: { rule: Rule }) {
  const { t } = useTranslation('recognition');
  const { of } = rule;
  if (of == null) {
    return (
      <Text size="sm" c="dimmed">
        {t('byItself')}
      </Text>
    );
  }
  const { contact, document } = of;
  const subject = of.subject ?? t('noSubject');
  return contact == null || document == null ? (
    <Text size="sm" lineClamp={2}>
      {t('ofMail', { subject })}
    </Text>
  ) : (
    <Anchor
      size="sm"
      lineClamp={2}
      renderRoot={(props) => (
        <Link {...props} to="/documents/$contact/$document" params={{ contact, document }} />
      )}
    >
      {t('ofMail', { subject })}
    </Anchor>
  );
}

function BundledRules({ rules, label }: { rules: readonly Bundled[]; label: string }) {
  const { t, i18n } = useTranslation('recognition');
  return (
    <Table.ScrollContainer minWidth={620} type="native" tabIndex={0} role="region" aria-label={label}>
      <Table verticalSpacing={6} fz="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('column.words')}</Table.Th>
            <Table.Th>{t('column.place')}</Table.Th>
            <Table.Th>{t('column.languages')}</Table.Th>
            <Table.Th ta="right">{t('column.weight')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rules.map((rule) => (
            <Table.Tr key={rule.id}>
              <Table.Td className="breaks">
                {rule.phrases.join(', ')}
                <Text size="xs" c="dimmed">
                  {rule.id}
                </Text>
              </Table.Td>
              <Table.Td style={{ whiteSpace: 'nowrap' }}>
                {i18n.exists(`place.${rule.place}`, { ns: 'recognition' })
                  ? t(`place.${rule.place}`)
                  : rule.place}
              </Table.Td>
              <Table.Td>{rule.languages.join(', ')}</Table.Td>
              <Table.Td ta="right" className="numbers">
                {rule.weight}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
