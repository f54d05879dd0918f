import { Alert, Button, Group, Loader, Select, Skeleton, Stack, Stepper, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { failureOf } from '../../api/problem';
import { useDraft } from '../../shared/editing/useDraft';
import { useFormat } from '../../shared/format';
import { ProblemNote } from '../../shared/ProblemNote';
import { tellFailure } from '../../shared/tell';
import { textOf, useAddress } from '../../shared/useAddress';
import { type Forecast, imports, type Job } from './api';
import { ColumnsTable } from './ColumnsTable';
import { Examples } from './Examples';
import { gaps, readMapping, writeMapping } from './mapping';
import { Options } from './Options';
import classes from './Prepare.module.css';
import { Tally } from './Progress';

const STEPS = ['columns', 'options', 'check'] as const;

/** The way from a file to its import: what columns mean, how it is done, what would change. */
export function Prepare({ job }: { job: Job }) {
  const { t } = useTranslation('imports');
  const [search, change] = useAddress();
  const queries = useQueryClient();
  const step = Math.max(0, STEPS.indexOf((textOf(search.step) ?? 'columns') as (typeof STEPS)[number]));
  const suggestion = useQuery({
    queryKey: ['imports', job.id, 'suggestion'],
    queryFn: ({ signal }) => imports.suggestion(job.id, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const suggested = job.mapping ?? suggestion.data?.mapping;
  const draft = useDraft<string>(`import:${job.id}`, suggested, job.id);
  const mapping = useMemo(() => readMapping(draft.value ?? ''), [draft.value]);
  const content = useRef<HTMLDivElement>(null);
  const go = (to: number) => {
    change({ step: to === 0 ? undefined : STEPS[to] }, { push: true });
    requestAnimationFrame(() => content.current?.focus());
  };
  const start = useMutation({
    mutationFn: () => imports.start(job.id, draft.value ?? ''),
    onSuccess: async () => {
      draft.discard();
      await queries.invalidateQueries({ queryKey: ['imports'] });
      change({ step: undefined });
    },
    onError: tellFailure,
  });
  if (suggestion.isError) {
    return <ProblemNote error={suggestion.error} retry={() => suggestion.refetch()} />;
  }
  if (suggestion.data === undefined || mapping === undefined) {
    return <Skeleton height={360} aria-hidden />;
  }
  const missing = gaps(mapping);
  return (
    <Stack gap="md">
      <Stepper
        active={step}
        onStepClick={go}
        size="sm"
        iconSize={28}
        wrap={false}
        classNames={{ step: classes.step ?? '', stepBody: classes.body ?? '' }}
      >
        {STEPS.map((one, at) => (
          <Stepper.Step
            key={one}
            label={t(`step.${one}`)}
            allowStepSelect={at <= step || missing.length === 0}
          />
        ))}
      </Stepper>
      <div ref={content} tabIndex={-1} style={{ outline: 'none' }}>
        {step === 0 && (
          <Stack gap="sm">
            <FileLine job={job} />
            <EarlierMapping job={job} onUse={draft.set} />
            <ColumnsTable
              columns={suggestion.data.columns}
              mapping={mapping}
              onChange={(next) => draft.set(writeMapping(next))}
            />
            {missing.map((one) => (
              <Alert
                key={one}
                color="yellow"
                variant="light"
                p="xs"
                icon={<IconAlertTriangle size={16} aria-hidden />}
              >
                <Text size="sm">{t(`gap.${one}`)}</Text>
              </Alert>
            ))}
          </Stack>
        )}
        {step === 1 && <Options mapping={mapping} onChange={(next) => draft.set(writeMapping(next))} />}
        {step === 2 && <Check job={job} mapping={draft.value ?? ''} />}
      </div>
      <Group justify="space-between" gap="xs">
        <Button variant="default" disabled={step === 0} onClick={() => go(step - 1)}>
          {t('back')}
        </Button>
        {step < STEPS.length - 1 ? (
          <Button disabled={missing.length > 0} onClick={() => go(step + 1)}>
            {t('next')}
          </Button>
        ) : (
          <Button loading={start.isPending} onClick={() => start.mutate()}>
            {t('start')}
          </Button>
        )}
      </Group>
    </Stack>
  );
}

/** How the file was read, so that a wrong guess is seen before it does harm. */
function FileLine({ job }: { job: Job }) {
  const { t } = useTranslation('imports');
  const { file } = job;
  const told = [
    file.format.toUpperCase(),
    file.encoding,
    file.delimiter === undefined
      ? undefined
      : t(`delimiter.${file.delimiter}`, { defaultValue: file.delimiter }),
    file.sheet,
    t(file.header ? 'file.header' : 'file.noHeader'),
  ];
  return (
    <Text size="sm" c="dimmed" className="breaks">
      {told.filter((one) => one !== undefined && one !== '').join(' · ')}
      <br />
      {t('file.wrong')}
    </Text>
  );
}

/** A file with the same columns was imported before: what they meant then is likely right again. */
function EarlierMapping({ job, onUse }: { job: Job; onUse: (mapping: string) => void }) {
  const { t } = useTranslation('imports');
  const format = useFormat();
  const all = useQuery({
    queryKey: ['imports', 'list', 'all'],
    queryFn: ({ signal }) => imports.list(signal),
  });
  const heads = job.file.heads.join('\n');
  const same = (all.data?.items ?? []).filter(
    (one) => one.id !== job.id && one.mapping !== null && one.file.heads.join('\n') === heads,
  );
  if (same.length === 0) {
    return null;
  }
  return (
    <Select
      size="xs"
      maw={420}
      label={t('earlier')}
      placeholder={t('earlierNone')}
      data={same.slice(0, 20).map((one) => ({
        value: one.id,
        label: `${one.name.slice(0, 60)}, ${format.day(one.created_at)}`,
      }))}
      onChange={(id) => {
        const mapping = same.find((one) => one.id === id)?.mapping;
        if (mapping !== undefined && mapping !== null) {
          onUse(mapping);
        }
      }}
    />
  );
}

/** Reads the whole file and says what would change. It can be left at any time. */
function Check({ job, mapping }: { job: Job; mapping: string }) {
  const { t } = useTranslation('imports');
  const [forecast, setForecast] = useState<Forecast>();
  const [error, setError] = useState<unknown>();
  const [round, setRound] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `round` asks again
  useEffect(() => {
    const control = new AbortController();
    setForecast(undefined);
    setError(undefined);
    imports.dryRun(job.id, mapping, control.signal).then(setForecast, (failure: unknown) => {
      if (!control.signal.aborted) {
        setError(failure);
      }
    });
    return () => control.abort();
  }, [job.id, mapping, round]);
  if (error !== undefined) {
    return <MappingProblems error={error} onAgain={() => setRound((before) => before + 1)} />;
  }
  if (forecast === undefined) {
    return (
      <Group gap="sm" role="status" mih={160} justify="center">
        <Loader size="sm" />
        <Text size="sm">{t('checking')}</Text>
      </Group>
    );
  }
  return (
    <Stack gap="md">
      <Text size="sm">{t('forecastLead')}</Text>
      <Tally counts={forecast.counts} isForecast />
      {forecast.counts_are_rough && (
        <Text size="sm" c="dimmed">
          {t('rough')}
        </Text>
      )}
      <Examples examples={forecast.examples} />
    </Stack>
  );
}

function MappingProblems({ error, onAgain }: { error: unknown; onAgain: () => void }) {
  const { t } = useTranslation('imports');
  const { problem, status } = failureOf(error);
  const problems = (Array.isArray(problem.problems) ? problem.problems : []) as unknown[];
  if (status !== 422 || problems.length === 0) {
    return <ProblemNote error={error} retry={onAgain} />;
  }
  const words = (one: unknown) => {
    if (typeof one === 'string') {
      return one;
    }
    const { what = '', remedy = '' } = (one ?? {}) as { what?: string; remedy?: string };
    return [what, remedy].filter((part) => part !== '').join('; ');
  };
  return (
    <Alert color="red" variant="light" title={t('badMapping')} icon={<IconAlertTriangle aria-hidden />}>
      <Stack gap={4}>
        {problems.map((one) => (
          <Text key={words(one)} size="sm" className="breaks">
            {words(one)}
          </Text>
        ))}
      </Stack>
    </Alert>
  );
}
