/** A text over the history of everyone: begun on the server, watched, stopped; its numbers beside those of today's. */
import { Anchor, Button, Group, Paper, Progress, Select, Stack, Table, Text } from '@mantine/core';
import { IconPlayerStop, IconTestPipe } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Fragment, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../../shared/format';
import { ProblemNote } from '../../../shared/ProblemNote';
import { tellFailure } from '../../../shared/tell';
import { textOf, useAddress } from '../../../shared/useAddress';
import { type Backtested, backtest, job, type Report, stopJob } from '../calls';
import { sayReason } from '../model/say';
import { Days } from './Days';

const ASK_MS = 700;
const SPANS = ['30d', '90d', '180d', '365d'] as const;

type Props = { id: string; text: string; isPublished: boolean };

export function Backtest({ id, text, isPublished }: Props) {
  const { t } = useTranslation('journeys');
  const format = useFormat();
  const [search, setSearch] = useAddress();
  const [since, setSince] = useState<string>('90d');
  const asked = textOf(search.job);
  const begin = useMutation({
    mutationFn: () => backtest({ text, since }),
    onSuccess: (begun) => setSearch({ job: begun.id }),
  });
  const query = useQuery({
    queryKey: ['journeys', id, 'job', asked],
    queryFn: () => job(asked ?? ''),
    enabled: asked !== undefined,
    refetchInterval: (of) =>
      of.state.data === undefined || of.state.data.state === 'running' ? ASK_MS : false,
    retry: false,
  });
  // A work that the server no longer knows is over.
  useEffect(() => {
    if (query.isError && asked !== undefined) {
      setSearch({ job: undefined });
    }
  }, [query.isError, asked, setSearch]);
  const work = asked === undefined ? undefined : query.data;
  const isRunning = work?.state === 'running' || begin.isPending;
  return (
    <Stack gap="sm">
      <Paper withBorder p="sm">
        <Group justify="space-between" align="flex-end" gap="sm">
          <Text size="sm" c="dimmed" maw={560}>
            {isPublished ? t('backtest.leadBeside') : t('backtest.lead')}
          </Text>
          <Group gap="xs" align="flex-end">
            <Select
              size="xs"
              w={150}
              label={t('backtest.since')}
              data={SPANS.map((one) => ({ value: one, label: t(`backtest.span.${one}`) }))}
              value={since}
              allowDeselect={false}
              onChange={(next) => setSince(next ?? '90d')}
            />
            {isRunning ? (
              <Button
                size="xs"
                variant="default"
                leftSection={<IconPlayerStop size={14} aria-hidden />}
                onClick={() => asked !== undefined && stopJob(asked).then(() => query.refetch(), tellFailure)}
              >
                {t('backtest.stop')}
              </Button>
            ) : (
              <Button
                size="xs"
                leftSection={<IconTestPipe size={14} aria-hidden />}
                onClick={() => begin.mutate()}
              >
                {t('backtest.run')}
              </Button>
            )}
          </Group>
        </Group>
        {work?.state === 'running' && (
          <Stack gap={4} mt="sm" role="status">
            <Progress
              value={work.of > 0 ? (work.done / work.of) * 100 : 3}
              animated
              aria-label={t('backtest.progress')}
            />
            <Text size="xs" c="dimmed" className="numbers">
              {t('backtest.done', { done: format.number(work.done), of: format.number(work.of) })}
            </Text>
          </Stack>
        )}
      </Paper>
      {begin.isError && <ProblemNote error={begin.error} retry={() => begin.mutate()} />}
      {work?.state === 'cancelled' && <Text size="sm">{t('backtest.cancelled')}</Text>}
      {work?.state === 'failed' && (
        <ProblemNote error={new Error(work.problem ?? '')} retry={() => begin.mutate()} />
      )}
      {work?.state === 'done' && isResult(work.result) && <Result result={work.result} />}
    </Stack>
  );
}

function isResult(result: unknown): result is Backtested {
  return typeof result === 'object' && result !== null && 'candidate' in result;
}

const PLAIN = [
  'contacts',
  'events',
  'enrolled',
  'held_out',
  'messages',
  'asked_for_approval',
  'tasks',
  'converted',
  'finished',
] as const;
const TABLES = ['not_enrolled', 'held', 'not_sent', 'exited', 'messages_by_template'] as const;

function Result({ result }: { result: Backtested }) {
  const { t, i18n } = useTranslation('journeys');
  const format = useFormat();
  const { candidate, current } = result;
  const cell = (report: Report | null, read: (report: Report) => number | undefined) =>
    report === null ? undefined : (
      <Table.Td ta="right" className="numbers">
        {format.number(read(report) ?? 0)}
      </Table.Td>
    );
  return (
    <Stack gap="sm">
      <Days candidate={candidate} current={current} />
      <Paper withBorder>
        <Table fz="sm" verticalSpacing={5}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('backtest.what')}</Table.Th>
              <Table.Th ta="right">{t('backtest.candidate')}</Table.Th>
              {current !== null && <Table.Th ta="right">{t('backtest.current')}</Table.Th>}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {PLAIN.map((key) => (
              <Table.Tr key={key}>
                <Table.Td>{t(`backtest.row.${key}`)}</Table.Td>
                {cell(candidate, (report) => report[key])}
                {cell(current, (report) => report[key])}
              </Table.Tr>
            ))}
            {TABLES.map((key) => {
              const rows = Object.keys({ ...candidate[key], ...current?.[key] }).sort();
              return rows.length === 0 ? null : (
                <Fragment key={key}>
                  <Table.Tr>
                    <Table.Th colSpan={current === null ? 2 : 3} pt="sm">
                      {t(`backtest.row.${key}`)}
                    </Table.Th>
                  </Table.Tr>
                  {rows.map((row) => (
                    <Table.Tr key={row}>
                      <Table.Td pl="lg" className="breaks">
                        {key === 'messages_by_template' ? row : sayReason(i18n.t, row)}
                      </Table.Td>
                      {cell(candidate, (report) => report[key][row])}
                      {cell(current, (report) => report[key][row])}
                    </Table.Tr>
                  ))}
                </Fragment>
              );
            })}
          </Table.Tbody>
        </Table>
      </Paper>
      {candidate.contacts_hit_most.length > 0 && (
        <Paper withBorder p="sm">
          <Text size="sm" fw={600} mb={4}>
            {t('backtest.hit')}
          </Text>
          <Group gap="md">
            {candidate.contacts_hit_most.slice(0, 12).map((one) => (
              <Text key={one.contact} size="sm">
                <Anchor
                  size="sm"
                  renderRoot={(props) => <Link {...props} to="/contacts/$id" params={{ id: one.contact }} />}
                >
                  {one.contact}
                </Anchor>{' '}
                <Text span c="dimmed" className="numbers">
                  {format.number(one.messages)}
                </Text>
              </Text>
            ))}
          </Group>
        </Paper>
      )}
    </Stack>
  );
}
