import { Badge, Group, SegmentedControl, Stack, Table, Text } from '@mantine/core';
import i18next from 'i18next';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Example } from './api';
import classes from './Examples.module.css';

const WHATS = ['create', 'update', 'error'] as const;
type What = (typeof WHATS)[number];

/** The first rows of each sort: what would be new, what would change, what is refused and why. */
export function Examples({ examples }: { examples: readonly Example[] }) {
  const { t } = useTranslation('imports');
  const there = WHATS.filter((what) => examples.some((one) => one.what === what));
  const [chosen, setChosen] = useState<What>();
  const what = chosen ?? there[0];
  if (what === undefined) {
    return <Text size="sm">{t('examples.none')}</Text>;
  }
  const shown = examples.filter((one) => one.what === what);
  return (
    <Stack gap="xs">
      <Group justify="space-between" gap="xs">
        <Text size="sm" fw={600}>
          {t('examples.title')}
        </Text>
        <SegmentedControl
          size="xs"
          aria-label={t('examples.title')}
          value={what}
          data={there.map((one) => ({ value: one, label: t(`examples.${one}`) }))}
          onChange={setChosen}
        />
      </Group>
      <section className={classes.rows} aria-label={t('examples.title')}>
        <Table
          verticalSpacing={6}
          fz="sm"
          style={{ background: 'var(--relance-card)', border: '1px solid var(--relance-line)' }}
        >
          <Table.Thead>
            <Table.Tr>
              <Table.Th w={70}>{t('examples.line')}</Table.Th>
              <Table.Th w={240}>{t(what === 'error' ? 'examples.column' : 'examples.contact')}</Table.Th>
              <Table.Th>{t(what === 'error' ? 'examples.reason' : 'examples.changes')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {shown.map((one) => (
              <Table.Tr key={`${one.row} ${one.column ?? ''} ${one.code ?? ''}`}>
                <Table.Td className="numbers">{one.line}</Table.Td>
                <Table.Td>
                  <Text size="sm" className="breaks" lineClamp={2}>
                    {what === 'error'
                      ? one.column || t('examples.wholeRow')
                      : Object.values(one.key ?? {})[0]}
                  </Text>
                  {one.named_before_in_the_file === true && (
                    <Badge variant="light" color="gray" tt="none">
                      {t('examples.again')}
                    </Badge>
                  )}
                </Table.Td>
                <Table.Td>{what === 'error' ? <Reason example={one} /> : <Changes example={one} />}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </section>
      <Text size="xs" c="dimmed">
        {t('examples.first')}
      </Text>
    </Stack>
  );
}

/** The reason by its public code in the reader's language; without words of ours as the server says it. */
function Reason({ example }: { example: Example }) {
  const { t } = useTranslation('imports');
  const key = `reason.${example.code ?? ''}`;
  const isKnown = i18next.exists(key, { ns: 'imports' });
  return (
    <Text size="sm" className="breaks" title={example.reason}>
      {isKnown ? t(key) : (example.reason ?? example.code)}
    </Text>
  );
}

const plain = (value: unknown) =>
  value === null || value === undefined
    ? ''
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value);

function Changes({ example }: { example: Example }) {
  const { t } = useTranslation('imports');
  const changes = Object.entries(example.changes ?? {});
  return (
    <Stack gap={2}>
      {changes.map(([name, { before, after }]) => (
        <Text key={name} size="xs" className="breaks" lineClamp={2}>
          <Text span size="xs" c="dimmed">
            {name}:{' '}
          </Text>
          {plain(before) !== '' && (
            <Text span size="xs" td="line-through" c="dimmed">
              {plain(before)}
            </Text>
          )}
          {plain(before) !== '' && ' → '}
          {plain(after)}
        </Text>
      ))}
      {changes.length === 0 && (
        <Text size="xs" c="dimmed">
          {t('examples.nothing')}
        </Text>
      )}
    </Stack>
  );
}
