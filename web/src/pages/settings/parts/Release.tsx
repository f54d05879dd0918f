import { Alert, Anchor, Button, Group, Radio, Skeleton, Stack, Table, Text } from '@mantine/core';
import { IconCircleCheck, IconZzz } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { queries } from '../../../api/queries';
import { useFormat } from '../../../shared/format';
import { ProblemNote } from '../../../shared/ProblemNote';
import { tellDone } from '../../../shared/tell';
import { Confirm } from '../Confirm';
import { type Due, release, type Status, statusQuery } from '../calls';
import { Section } from '../Section';

/** A copy sends nothing until somebody has looked at what is overdue and says what becomes of it (R10). */
export function Release() {
  const { t } = useTranslation('settings');
  const { data, error, isError, refetch } = useQuery(statusQuery);
  if (isError && data === undefined) {
    return <ProblemNote error={error} retry={() => refetch()} />;
  }
  if (data === undefined) {
    return <Skeleton height={260} />;
  }
  return data.quiet == null ? (
    <Alert color="green" variant="light" icon={<IconCircleCheck aria-hidden />} title={t('release.sends')}>
      {t('release.sendsText')}
    </Alert>
  ) : (
    <Quiet status={data} quiet={data.quiet} />
  );
}

function Quiet({ status, quiet }: { status: Status; quiet: NonNullable<Status['quiet']> }) {
  const { t } = useTranslation('settings');
  const format = useFormat();
  const [choice, setChoice] = useState<'send' | 'skip'>();
  const [asks, setAsks] = useState(false);
  const { overdue } = status;
  const count = (due: Due) =>
    due.more ? t('release.more', { number: format.number(due.count) }) : format.number(due.count);
  const nothing = overdue.timers.count + overdue.messages.count === 0;
  const run = async () => {
    await release(choice ?? 'send');
    await Promise.all([
      queries.invalidateQueries({ queryKey: statusQuery.queryKey }),
      queries.invalidateQueries({ queryKey: ['session'] }),
    ]);
    tellDone(t('release.done'));
  };
  return (
    <Stack gap="md">
      <Alert color="yellow" variant="light" icon={<IconZzz aria-hidden />} title={t('release.quiet')}>
        <Text size="sm" className="breaks">
          {t([`release.reason.${quiet.reason}`, 'release.reason.other'], { detail: quiet.detail })}
        </Text>
        <Text size="xs" mt={4}>
          {t('release.noticed', { at: format.moment(quiet.noticed_at) })}
        </Text>
      </Alert>
      <Section title={t('release.overdue')} text={t('release.overdueText')}>
        {nothing ? (
          <Text size="sm">{t('release.nothing')}</Text>
        ) : (
          <Stack gap="sm">
            <Group gap="xl">
              <Figure name={t('release.messages')} value={count(overdue.messages)} />
              <Figure name={t('release.timers')} value={count(overdue.timers)} />
              {overdue.earliest && (
                <Figure name={t('release.since')} value={format.moment(overdue.earliest)} />
              )}
            </Group>
            {overdue.journeys.length > 0 && (
              <Table.ScrollContainer minWidth={320}>
                <Table fz="sm" verticalSpacing={6}>
                  <Table.Thead>
                    <Table.Tr>
                      <Table.Th>{t('release.journey')}</Table.Th>
                      <Table.Th ta="right">{t('release.messages')}</Table.Th>
                      <Table.Th ta="right">{t('release.timers')}</Table.Th>
                    </Table.Tr>
                  </Table.Thead>
                  <Table.Tbody>
                    {overdue.journeys.map((one) => (
                      <Table.Tr key={one.journey}>
                        <Table.Td className="breaks">
                          <Anchor
                            size="sm"
                            renderRoot={(props) => (
                              <Link {...props} to="/journeys/$id" params={{ id: one.journey }} />
                            )}
                          >
                            {one.journey}
                          </Anchor>
                        </Table.Td>
                        <Table.Td ta="right" className="numbers">
                          {format.number(one.messages)}
                        </Table.Td>
                        <Table.Td ta="right" className="numbers">
                          {format.number(one.timers)}
                        </Table.Td>
                      </Table.Tr>
                    ))}
                  </Table.Tbody>
                </Table>
              </Table.ScrollContainer>
            )}
          </Stack>
        )}
      </Section>
      <Section title={t('release.title')} text={t('release.text')}>
        <Stack gap="md">
          <Radio.Group
            aria-label={t('release.title')}
            value={choice ?? ''}
            onChange={(chosen) => setChoice(chosen === 'send' ? 'send' : 'skip')}
          >
            <Stack gap="xs">
              <Radio value="skip" label={t('release.skip')} description={t('release.skipText')} />
              <Radio value="send" label={t('release.send')} description={t('release.sendText')} />
            </Stack>
          </Radio.Group>
          <Group>
            <Button disabled={choice === undefined} onClick={() => setAsks(true)}>
              {t('release.do')}
            </Button>
          </Group>
        </Stack>
      </Section>
      {asks && choice !== undefined && (
        <Confirm
          title={t('release.do')}
          text={t(`release.ask.${choice}`, {
            messages: count(overdue.messages),
            timers: count(overdue.timers),
          })}
          action={t('release.do')}
          run={run}
          close={() => setAsks(false)}
        />
      )}
    </Stack>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <Stack gap={0}>
      <Text size="xs" c="dimmed">
        {name}
      </Text>
      <Text fw={600} className="numbers">
        {value}
      </Text>
    </Stack>
  );
}
