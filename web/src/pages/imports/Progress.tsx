import { Alert, Badge, Progress as Bar, Button, Group, Paper, SimpleGrid, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconDownload } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../shared/format';
import { tellFailure } from '../../shared/tell';
import { type Counts, imports, type Job } from './api';
import { STATE_COLORS } from './Imports';

type Props = { job: Job; mayChange: boolean };

/** How far an import is, and what came of it. */
export function Progress({ job, mayChange }: Props) {
  const { t } = useTranslation('imports');
  const format = useFormat();
  const queries = useQueryClient();
  const again = () => queries.invalidateQueries({ queryKey: ['imports'] });
  const cancel = useMutation({
    mutationFn: () => imports.cancel(job.id),
    onSettled: again,
    onError: tellFailure,
  });
  const resume = useMutation({
    mutationFn: () => imports.start(job.id, ''),
    onSettled: again,
    onError: tellFailure,
  });
  const share = job.bytes.of === 0 ? 1 : job.bytes.read / job.bytes.of;
  const isRunning = job.state === 'running';
  return (
    <Stack gap="md">
      <Paper withBorder p="md" style={{ background: 'var(--relance-card)' }}>
        <Stack gap="sm">
          <Group justify="space-between" gap="sm">
            <Group gap="xs" role="status">
              <Badge size="lg" variant="light" color={STATE_COLORS[job.state]} tt="none">
                {t(`state.${job.state}`)}
              </Badge>
              <Text size="sm" className="numbers">
                {t('rows', { count: job.counts.rows, number: format.number(job.counts.rows) })}
              </Text>
            </Group>
            <Group gap="xs">
              {isRunning && mayChange && (
                <Button variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()}>
                  {t('stop')}
                </Button>
              )}
              {(job.state === 'cancelled' || job.state === 'failed') && mayChange && (
                <Button loading={resume.isPending} onClick={() => resume.mutate()}>
                  {t('resume')}
                </Button>
              )}
              {job.state === 'done' && (
                <Button variant="default" renderRoot={(props) => <Link to="/contacts" {...props} />}>
                  {t('toContacts')}
                </Button>
              )}
            </Group>
          </Group>
          {job.state !== 'done' && (
            <Bar
              value={share * 100}
              animated={isRunning}
              color={STATE_COLORS[job.state]}
              aria-label={t('progress', { share: format.share(share) })}
            />
          )}
          {isRunning && (
            <Text size="xs" c="dimmed">
              {t('runningText')}
            </Text>
          )}
          {job.problem !== null && job.problem !== '' && (
            <Alert color="red" variant="light" icon={<IconAlertTriangle aria-hidden />} title={t('problem')}>
              <Text size="sm" className="breaks">
                {job.problem}
              </Text>
            </Alert>
          )}
        </Stack>
      </Paper>
      <Tally counts={job.counts} />
      {job.counts.errors + job.counts.left_out > 0 && (
        <Alert color="yellow" variant="light" title={t('errors.title')}>
          <Stack gap="xs" align="flex-start">
            <Text size="sm">{t('errors.text')}</Text>
            <Button
              component="a"
              href={imports.errorsAddress(job.id)}
              download
              size="xs"
              variant="default"
              leftSection={<IconDownload size={14} />}
            >
              {t('errors.download')}
            </Button>
          </Stack>
        </Alert>
      )}
    </Stack>
  );
}

const MAIN = ['created', 'updated', 'unchanged', 'errors'] as const;
const MORE = ['skipped', 'left_out', 'role', 'disposable'] as const;

/** What became, or would become, of the rows. */
export function Tally({ counts, isForecast = false }: { counts: Counts; isForecast?: boolean }) {
  const { t } = useTranslation('imports');
  const format = useFormat();
  const more = MORE.filter((one) => counts[one] > 0);
  return (
    <Stack gap="xs">
      <SimpleGrid cols={{ base: 2, sm: 4 }} spacing="sm">
        {MAIN.map((one) => (
          <Paper key={one} withBorder p="sm" style={{ background: 'var(--relance-card)' }}>
            <Text size="xs" c="dimmed">
              {t(isForecast ? `forecast.${one}` : `counts.${one}`)}
            </Text>
            <Text
              fz={24}
              fw={650}
              className="numbers"
              {...(one === 'errors' && counts.errors > 0 ? { c: 'light-dark(#b42318, #ff9a90)' } : {})}
            >
              {format.number(counts[one])}
            </Text>
          </Paper>
        ))}
      </SimpleGrid>
      {more.length > 0 && (
        <Text size="sm" c="dimmed">
          {more.map((one) => t(`more_.${one}`, { number: format.number(counts[one]) })).join(' · ')}
        </Text>
      )}
    </Stack>
  );
}
