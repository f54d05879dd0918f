/** What publishing would change, for how many people; then it is done. */
import {
  Alert,
  Button,
  Checkbox,
  Group,
  Loader,
  Modal,
  Radio,
  Select,
  Stack,
  Table,
  Text,
} from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { failureOf } from '../../../api/problem';
import { queries } from '../../../api/queries';
import { useFormat } from '../../../shared/format';
import { ProblemNote } from '../../../shared/ProblemNote';
import { useAddress } from '../../../shared/useAddress';
import {
  type FileProblem,
  type JourneyShown,
  type Moves,
  plan,
  publish,
  type RunsMoved,
  type Storm,
} from '../calls';
import { allSteps, readJourney } from '../model/journey';
import { isPlain } from '../model/render';
import { Speaker } from '../model/say';
import type { DraftKeeper } from '../text/DraftKeeper';
import classes from './Publish.module.css';
import { tellPublished } from './tellPublished';

type Props = { shown: JourneyShown; keeper: DraftKeeper; text: string; close: () => void };

const CHOICES = ['pin', 'follow', 'map'] as const;
type Choice = (typeof CHOICES)[number];
const END = ':end';

/** What was sent before it was there begins such a journey only when a person says so. */
function followsDocuments(text: string): boolean {
  const head = readJourney(text).journey?.value;
  return head?.subject === 'document' && isPlain(head.trigger) && 'event' in head.trigger;
}

export function Publish({ shown, keeper, text, close }: Props) {
  const { t } = useTranslation('journeys');
  const format = useFormat();
  const [, setAddress] = useAddress();
  const [choice, setChoice] = useState<Choice>('pin');
  const [map, setMap] = useState<Record<string, string | null>>({});
  const [confirmed, setConfirmed] = useState(false);
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const moves: Moves = choice === 'map' ? { map } : choice;
  const { id } = shown;
  const planned = useQuery({
    queryKey: ['journeys', 'plan', id, text, moves],
    queryFn: () => plan({ id, text, moves }),
    placeholderData: (before) => before,
    retry: false,
    gcTime: 0,
  });
  const runs = planned.data?.runs?.[id] ?? [];
  const storm = planned.data?.storm;
  const asksStorm = storm !== undefined && storm.contacts > storm.limit;
  const version = planned.data?.published[id];
  const isSame = planned.data?.unchanged.includes(id) ?? false;
  const problems = planned.isError ? problemsOf(planned.error) : undefined;

  const go = async () => {
    setIsBusy(true);
    setError(undefined);
    try {
      await keeper.flush();
      const done = await publish({ id, text, moves, confirm: storm?.contacts });
      keeper.rebase({ text, revision: undefined });
      await queries.invalidateQueries({ queryKey: ['journeys'] });
      const out = done.published[id];
      tellPublished(t('publish.done', { version: out ?? '' }), t('publish.look'), () =>
        setAddress({ tab: 'versions', version: out, step: undefined }, { push: true }),
      );
      close();
    } catch (failure) {
      setError(failure);
      setIsBusy(false);
    }
  };
  return (
    <Modal opened onClose={close} title={t('publish.title', { name: shown.name ?? id })} size="lg">
      <Stack>
        {planned.isPending && <Loader size="sm" aria-label={t('publish.planning')} />}
        {problems !== undefined &&
          (problems.length > 0 ? (
            <Findings title={t('publish.wrong')} color="red" problems={problems} />
          ) : (
            <ProblemNote error={planned.error} retry={() => planned.refetch()} />
          ))}
        {isSame && <Alert color="blue">{t('publish.same')}</Alert>}
        {version !== undefined && (
          <Text size="sm">
            {shown.current === null
              ? t('publish.first', { version })
              : t('publish.next', { version, before: shown.current })}
          </Text>
        )}
        {shown.current === null && followsDocuments(text) && (
          <Text size="sm" c="dimmed">
            {t('publish.documents')}
          </Text>
        )}
        {runs.length > 0 && (
          <Radio.Group
            value={choice}
            onChange={(next) => setChoice(CHOICES.find((one) => one === next) ?? 'pin')}
            label={t('publish.people')}
          >
            <Stack gap={6} mt={6}>
              {CHOICES.map((one) => (
                <Radio key={one} value={one} label={t(`moves.${one}`)} description={t(`moves.${one}Text`)} />
              ))}
            </Stack>
          </Radio.Group>
        )}
        {runs.length > 0 && (
          <RunsTable
            runs={runs}
            shown={shown}
            text={text}
            map={choice === 'map' ? map : undefined}
            setMap={setMap}
          />
        )}
        {(planned.data?.warnings ?? []).length > 0 && (
          <Findings title={t('publish.warnings')} color="yellow" problems={planned.data?.warnings ?? []} />
        )}
        {storm !== undefined && <StormNote storm={storm} />}
        {asksStorm && (
          <Checkbox
            checked={confirmed}
            onChange={(event) => setConfirmed(event.currentTarget.checked)}
            label={t('publish.confirmStorm', {
              count: storm.contacts,
              contacts: format.number(storm.contacts),
            })}
          />
        )}
        {error !== undefined && <ProblemNote error={error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t('shell:cancel')}
          </Button>
          <Button
            onClick={go}
            loading={isBusy}
            disabled={
              version === undefined || planned.isFetching || planned.isError || (asksStorm && !confirmed)
            }
            data-autofocus
          >
            {t('publish.go')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function problemsOf(error: unknown): FileProblem[] {
  const { problems } = failureOf(error).problem;
  return Array.isArray(problems) ? (problems as FileProblem[]) : [];
}

function Findings({
  title,
  color,
  problems,
}: {
  title: string;
  color: string;
  problems: readonly FileProblem[];
}) {
  return (
    <Alert color={color} variant="light" title={title}>
      <Stack gap={4}>
        {problems.map((one) => (
          <Text key={`${one.file}:${one.line ?? 0}:${one.text}`} size="sm" className="breaks">
            {one.text}
          </Text>
        ))}
      </Stack>
    </Alert>
  );
}

function StormNote({ storm }: { storm: Storm }) {
  const { t } = useTranslation('journeys');
  const format = useFormat();
  return (
    <Alert color={storm.contacts > storm.limit ? 'orange' : 'blue'} variant="light">
      <Text size="sm">
        {t('publish.storm', { count: storm.contacts, contacts: format.number(storm.contacts) })} {storm.pace}
      </Text>
    </Alert>
  );
}

type RunsProps = {
  runs: readonly RunsMoved[];
  shown: JourneyShown;
  text: string;
  /** The table of steps, while the person fills it in. */
  map: Record<string, string | null> | undefined;
  setMap: (map: Record<string, string | null>) => void;
};

/** Where people stand, and where they go. */
function RunsTable({ runs, shown, text, map, setMap }: RunsProps) {
  const { t, i18n } = useTranslation('journeys');
  const format = useFormat();
  const speaker = useMemo(() => new Speaker(i18n.t, i18n.language), [i18n.t, i18n.language]);
  const said = useMemo(() => {
    const names = new Map<string, string>();
    for (const version of shown.versions) {
      for (const step of allSteps(readJourney(version.text).journey?.steps ?? [])) {
        names.set(`${version.version}:${step.key}`, speaker.step(step).head);
      }
    }
    return names;
  }, [shown.versions, speaker]);
  const targets = useMemo(
    () => [
      { value: END, label: t('moves.end') },
      ...[...allSteps(readJourney(text).journey?.steps ?? [])].map((step) => ({
        value: step.key,
        label: `${step.key} · ${speaker.step(step).head}`,
      })),
    ],
    [text, speaker, t],
  );
  return (
    <Table fz="sm" verticalSpacing={4} className={classes.runs ?? ''}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th ta="right">{t('publish.runs')}</Table.Th>
          <Table.Th>{t('publish.at')}</Table.Th>
          <Table.Th>{t('publish.become')}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {runs.map((one) => (
          <Table.Tr key={`${one.version}:${one.step}`}>
            <Table.Td ta="right" className="numbers">
              {format.number(one.runs)}
            </Table.Td>
            <Table.Td className="breaks">
              {said.get(`${one.version}:${one.step}`) ?? one.step}
              <Text size="xs" c="dimmed">
                {t('publish.stepOf', { step: one.step, version: one.version })}
              </Text>
            </Table.Td>
            <Table.Td>
              {map === undefined ? (
                <Text size="sm">
                  {one.what === 'move'
                    ? t('moves.to', { step: one.to ?? one.step })
                    : one.what === 'end'
                      ? t('moves.end')
                      : t('moves.stay', { version: one.version })}
                </Text>
              ) : (
                <Select
                  size="xs"
                  searchable
                  clearable
                  aria-label={t('moves.choose', { step: one.step })}
                  placeholder={t('moves.asFollow')}
                  data={targets}
                  value={one.step in map ? (map[one.step] ?? END) : null}
                  onChange={(next) => {
                    const { [one.step]: _old, ...rest } = map;
                    setMap(next === null ? rest : { ...map, [one.step]: next === END ? null : next });
                  }}
                />
              )}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
