/** The picture of a version with what happened at each step. */
import { Alert, Group, Paper, Select, SimpleGrid, Skeleton, Stack, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Fragment, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Empty } from '../../../shared/DataList';
import { useFormat } from '../../../shared/format';
import { ProblemNote } from '../../../shared/ProblemNote';
import { textOf, useAddress } from '../../../shared/useAddress';
import { type JourneyShown, numbers, type StepNumbers } from '../calls';
import { Canvas } from '../canvas/Canvas';
import type { Figure } from '../canvas/types';
import { findStep, readJourney } from '../model/journey';
import { Speaker, sayReason } from '../model/say';
import classes from './Numbers.module.css';

/** Shown on a node, in this order, where there is something to show. */
const ON_NODE = [
  'standing',
  'sent',
  'held',
  'dropped',
  'waiting',
  'task',
  'notified',
  'exited',
  'converted',
] as const;
const COLORS: Record<string, string> = {
  standing: 'var(--mantine-primary-color-light-color)',
  sent: 'light-dark(var(--mantine-color-green-9), var(--mantine-color-green-4))',
  held: 'light-dark(#8a5200, var(--mantine-color-yellow-4))',
  dropped: 'light-dark(var(--mantine-color-red-9), var(--mantine-color-red-4))',
};
const FIGURES_MAX = 4;

export function Numbers({ shown }: { shown: JourneyShown }) {
  const { t } = useTranslation('journeys');
  const format = useFormat();
  const [search, setSearch] = useAddress();
  const query = useQuery({ queryKey: ['journeys', shown.id, 'numbers'], queryFn: () => numbers(shown.id) });
  const newest = shown.versions.find((one) => one.current) ?? shown.versions.at(-1);
  const asked = textOf(search.version);
  const version = shown.versions.find((one) => String(one.version) === asked) ?? newest;
  const journey = useMemo(
    () => (version === undefined ? undefined : readJourney(version.text).journey),
    [version],
  );
  const byStep = useMemo(
    () => stepsOf(query.data?.steps ?? [], version?.version),
    [query.data, version?.version],
  );
  const figures = useMemo(() => {
    const all = new Map<string, Figure[]>();
    for (const [step, of] of byStep) {
      const own: Figure[] = [];
      for (const key of ON_NODE) {
        const count = key === 'standing' ? of.standing : (of.what[key] ?? 0);
        const color = COLORS[key];
        if (count > 0 && own.length < FIGURES_MAX) {
          own.push({
            key,
            label: t(`figure.${key}`),
            value: format.number(count),
            ...(color === undefined ? {} : { color }),
          });
        }
      }
      all.set(step, own);
    }
    return all;
  }, [byStep, format, t]);
  if (version === undefined || journey === undefined) {
    return <Empty title={t('numbers.none')} text={t('numbers.noneText')} />;
  }
  if (query.isError) {
    return <ProblemNote error={query.error} retry={() => query.refetch()} />;
  }
  const selected = textOf(search.step);
  const chosen = selected === undefined ? undefined : byStep.get(selected);
  const { data } = query;
  const share = (part: number) =>
    data !== undefined && data.entered > 0 ? format.share(part / data.entered) : '';
  const tiles =
    data === undefined
      ? []
      : [
          { key: 'entered', value: data.entered, more: '' },
          { key: 'live', value: shown.live_runs, more: share(shown.live_runs) },
          { key: 'converted', value: data.converted, more: share(data.converted) },
          { key: 'finished', value: data.finished, more: share(data.finished) },
          { key: 'exited', value: data.exited, more: share(data.exited) },
          { key: 'heldOut', value: data.held_out, more: '' },
        ];
  return (
    <Stack gap="sm">
      <SimpleGrid cols={{ base: 2, xs: 3, md: 6 }} spacing="xs">
        {query.isPending
          ? ['a', 'b', 'c', 'd', 'e', 'f'].map((one) => <Skeleton key={one} h={66} />)
          : tiles.map((tile) => (
              <Paper key={tile.key} withBorder p="xs">
                <Text size="xs" c="dimmed">
                  {t(`numbers.${tile.key}`)}
                </Text>
                <Group gap={6} align="baseline">
                  <Text fw={650} size="lg" className="numbers">
                    {format.number(tile.value)}
                  </Text>
                  <Text size="xs" c="dimmed" className="numbers">
                    {tile.more}
                  </Text>
                </Group>
              </Paper>
            ))}
      </SimpleGrid>
      <Group justify="space-between" gap="xs">
        <Text size="xs" c="dimmed">
          {t('numbers.hint')}
        </Text>
        <Select
          size="xs"
          w={210}
          aria-label={t('tab.versions')}
          data={[...shown.versions].reverse().map((one) => ({
            value: String(one.version),
            label: t('page.version', { version: one.version }),
          }))}
          value={String(version.version)}
          allowDeselect={false}
          onChange={(next) => setSearch({ version: next ?? undefined, step: undefined })}
        />
      </Group>
      <div className={classes.panes} data-open={selected !== undefined || undefined}>
        <Canvas
          key={version.version}
          journey={journey}
          figures={figures}
          selected={selected}
          onSelect={(id) => setSearch({ step: id })}
        />
        {selected !== undefined && <StepDetails journey={journey} selected={selected} numbers={chosen} />}
      </div>
    </Stack>
  );
}

/** Numbers by step. What happened is counted over all versions; who stands there, on the one that is shown. */
function stepsOf(all: readonly StepNumbers[], version: number | undefined): Map<string, StepNumbers> {
  return new Map(all.map((one) => [one.step, { ...one, standing: one.standing_on[String(version)] ?? 0 }]));
}

type DetailsProps = {
  journey: NonNullable<ReturnType<typeof readJourney>['journey']>;
  selected: string;
  numbers: StepNumbers | undefined;
};

/** Everything that is known of one step, with the reasons. */
function StepDetails({ journey, selected, numbers: of }: DetailsProps) {
  const { t, i18n } = useTranslation('journeys');
  const format = useFormat();
  const step = findStep(journey, selected);
  const speaker = useMemo(() => new Speaker(i18n.t, i18n.language), [i18n.t, i18n.language]);
  const said =
    step !== undefined
      ? speaker.step(step)
      : selected === ':trigger'
        ? speaker.trigger(journey)
        : speaker.exits(journey);
  const rows = of === undefined ? [] : Object.entries(of.what).sort(([, a], [, b]) => b - a);
  const reasons = (what: string) =>
    Object.entries(of?.reasons ?? {})
      .filter(([key]) => key.startsWith(`${what}.`))
      .sort(([, a], [, b]) => b - a);
  return (
    <aside className={classes.details} aria-label={said.head}>
      <Stack gap="xs">
        <Text size="sm" fw={600} className="breaks">
          {speaker.sentence(said)}
        </Text>
        {of === undefined || (rows.length === 0 && of.standing === 0) ? (
          <Alert color="gray" p="xs">
            <Text size="xs">{t('numbers.nothing')}</Text>
          </Alert>
        ) : (
          <Table fz="xs" verticalSpacing={3}>
            <Table.Tbody>
              {of.standing > 0 && <Row label={t('figure.standing')} count={format.number(of.standing)} />}
              {rows.map(([what, count]) => (
                <Fragment key={what}>
                  <Row label={t(`what.${what}`, what)} count={format.number(count)} />
                  {reasons(what).map(([key, times]) => (
                    <Row
                      key={key}
                      label={sayReason(i18n.t, key.slice(what.length + 1))}
                      count={format.number(times)}
                      isInner
                    />
                  ))}
                </Fragment>
              ))}
            </Table.Tbody>
          </Table>
        )}
      </Stack>
    </aside>
  );
}

function Row({ label, count, isInner }: { label: string; count: string; isInner?: boolean }) {
  return (
    <Table.Tr>
      <Table.Td pl={isInner ? 24 : undefined} c={isInner ? 'dimmed' : undefined} className="breaks">
        {label}
      </Table.Td>
      <Table.Td ta="right" className="numbers">
        {count}
      </Table.Td>
    </Table.Tr>
  );
}
