/** The text of a journey and its picture side by side, the form of what is selected beside them. */
import { Alert, Badge, Button, Group, Loader, Popover, SegmentedControl, Stack, Text } from '@mantine/core';
import { useDebouncedValue, useMediaQuery } from '@mantine/hooks';
import { IconAdjustments, IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useCallback, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { textOf, useAddress } from '../../../shared/useAddress';
import { check, type TextProblem } from '../calls';
import { Canvas } from '../canvas/Canvas';
import type { Editing } from '../canvas/types';
import type { Names } from '../model/complete';
import { copyStep, freshStep, insertStep, keyAt, moveStep, removeStep } from '../model/edits';
import {
  findStep,
  type Journey,
  nodeOfPath,
  type Read,
  readJourney,
  readPath,
  type Step,
  stepAtLine,
} from '../model/journey';
import type { Change, Path } from '../model/surgery';
import { HEAD, Panel } from '../panel/Panel';
import { FormContext } from '../panel/useEditing';
import type { DraftKeeper, Kept } from '../text/DraftKeeper';
import { TextEditor } from '../text/TextEditor';
import { Conflict } from './Conflict';
import classes from './EditTab.module.css';
import { SaveNote } from './SaveNote';

const CHECK_PAUSE_MS = 400;
const NARROW = '(max-width: 62em)';

type Props = { keeper: DraftKeeper; text: string; kept: Kept; names: Names; mayWrite: boolean };

export function EditTab({ keeper, text, kept, names, mayWrite }: Props) {
  const { t } = useTranslation('journeys');
  const { model } = keeper;
  const [search, setSearch] = useAddress();
  const narrow = useMediaQuery(NARROW, undefined, { getInitialValueInEffect: false }) ?? false;
  const asked = textOf(search.view);
  const view = narrow ? (asked === 'text' ? 'text' : 'canvas') : (asked ?? 'both');
  const selected = textOf(search.step);
  const select = useCallback((id: string | undefined) => setSearch({ step: id }), [setSearch]);
  const { journey, problem } = useLastGood(text);
  const problems = useCheck(text);
  const [moving, setMoving] = useState<Step>();

  const change = useCallback(
    (changes: Change[], at?: Path) => {
      const open = selected === undefined || journey === undefined ? undefined : findStep(journey, selected);
      model.change(changes);
      const path = at ?? open?.path;
      const key = path === undefined ? undefined : keyAt(model.text, path);
      if (path !== undefined && key !== selected) {
        select(key);
      }
    },
    [model, journey, selected, select],
  );
  const remove = useCallback(
    (step: Step) => {
      model.change(removeStep(model.text, step));
      if (selected === step.key) {
        select(undefined);
      }
    },
    [model, selected, select],
  );
  const copy = useCallback(
    (step: Step) =>
      change(copyStep(model.text, step), [...step.path.slice(0, -1), Number(step.path.at(-1)) + 1]),
    [change, model],
  );
  const words = useMemo(() => ({ task: t('fresh.task'), notify: t('fresh.notify') }), [t]);
  const editing = useMemo(
    (): Editing => ({
      insert: (place, kind) =>
        change(insertStep(model.text, place, freshStep(kind, words)), [...place.list, place.at]),
      remove,
      copy,
      move: (step, place) => model.change(moveStep(model.text, step, place)),
      nudge: (step, by) => {
        const at = Number(step.path.at(-1));
        const list = step.path.slice(0, -1);
        change(moveStep(model.text, step, { list, at: by < 0 ? at - 1 : at + 2 }), [
          ...list,
          Math.max(0, at + by),
        ]);
      },
      undo: model.undo,
      redo: model.redo,
    }),
    [change, copy, model, remove, words],
  );
  const counts = useMemo(() => countByNode(journey, problems.found), [journey, problems.found]);
  const goToLine = useCallback(
    (line: number) => {
      if (narrow || view === 'canvas') {
        setSearch({ view: narrow ? 'text' : 'both' });
      }
      requestAnimationFrame(() => {
        model.goTo(line);
        model.focus();
      });
    },
    [model, narrow, setSearch, view],
  );
  const goToProblem = (one: TextProblem) => {
    const node = journey === undefined ? undefined : nodeOfPath(journey, readPath(one.path));
    setSearch({ step: node, ...(node === undefined || !narrow ? {} : { view: 'canvas' }) });
    if (node === undefined || !narrow) {
      goToLine(one.line);
    }
  };
  const tools = useMemo(
    () => ({ text: model.read, change: (changes: Change[]) => change(changes), names }),
    [model, change, names],
  );
  // Only where a person put the cursor: a step that is being typed must not open its form.
  const onLine = useCallback(
    (line: number) => {
      const step = journey === undefined ? undefined : stepAtLine(journey, line);
      if (step !== undefined && selected !== undefined && step.key !== selected) {
        select(step.key);
      }
    },
    [journey, select, selected],
  );
  const isOpen =
    mayWrite &&
    selected !== undefined &&
    journey !== undefined &&
    (selected.startsWith(':') || findStep(journey, selected) !== undefined);

  if (kept.state === 'conflict' && kept.theirs !== undefined) {
    return <Conflict keeper={keeper} theirs={kept.theirs} mine={text} />;
  }
  return (
    <FormContext.Provider value={tools}>
      <Stack gap={0} className={classes.frame}>
        <Group className={classes.bar} justify="space-between" gap="xs">
          <Group gap="xs">
            <SegmentedControl
              size="xs"
              aria-label={t('edit.view')}
              value={view}
              onChange={(next) => setSearch({ view: next === 'both' ? undefined : next })}
              data={(narrow ? (['canvas', 'text'] as const) : (['both', 'canvas', 'text'] as const)).map(
                (one) => ({
                  value: one,
                  label: t(`edit.${one}`),
                }),
              )}
            />
            {mayWrite && (
              <Button
                size="compact-xs"
                variant="default"
                leftSection={<IconAdjustments size={14} aria-hidden />}
                onClick={() => select(selected === HEAD ? undefined : HEAD)}
              >
                {t('panel.head')}
              </Button>
            )}
          </Group>
          <Group gap="xs">
            <Problems state={problems} open={goToProblem} />
            <SaveNote kept={kept} keeper={keeper} />
          </Group>
        </Group>
        <div className={classes.panes} data-view={view} data-panel={isOpen || undefined}>
          <div className={classes.text} data-hidden={view === 'canvas' || undefined}>
            <TextEditor
              model={model}
              label={t('edit.text')}
              problems={problem === undefined ? problems.found : []}
              onLine={onLine}
            />
          </div>
          <div className={classes.canvas} data-hidden={view === 'text' || undefined}>
            {journey === undefined ? (
              <Text c="dimmed" size="sm" p="md">
                {problem === undefined || problem.message === ''
                  ? t('edit.unreadable')
                  : t('edit.broken', { line: problem.line, message: problem.message })}
              </Text>
            ) : (
              <Canvas
                journey={journey}
                selected={selected}
                onSelect={select}
                problems={counts}
                editing={mayWrite && problem === undefined ? editing : undefined}
                isStale={problem !== undefined}
                moving={moving}
                onMoved={() => setMoving(undefined)}
                note={
                  problem !== undefined ? (
                    <Alert
                      color="red"
                      variant="filled"
                      p="xs"
                      icon={<IconAlertTriangle aria-hidden />}
                      role="alert"
                    >
                      <Group justify="space-between" gap="xs">
                        <Text size="xs" className="breaks" lineClamp={3} flex={1}>
                          {t('edit.broken', { line: problem.line, message: problem.message })}
                        </Text>
                        <Button
                          size="compact-xs"
                          variant="white"
                          color="red"
                          onClick={() => goToLine(problem.line)}
                        >
                          {t('panel.line', { line: problem.line })}
                        </Button>
                      </Group>
                    </Alert>
                  ) : moving !== undefined ? (
                    <Alert color="blue" p="xs" role="status">
                      <Group justify="space-between" gap="xs">
                        <Text size="xs">{t('edit.moving')}</Text>
                        <Button size="compact-xs" variant="subtle" onClick={() => setMoving(undefined)}>
                          {t('edit.stopMoving')}
                        </Button>
                      </Group>
                    </Alert>
                  ) : undefined
                }
              />
            )}
          </div>
          {isOpen && journey !== undefined && selected !== undefined && (
            <div className={classes.panel}>
              <FocusFirst of={selected}>
                <Panel
                  journey={journey}
                  selected={selected}
                  problems={problems.found.filter(
                    (one) => nodeOfPath(journey, readPath(one.path)) === selected,
                  )}
                  close={() => {
                    const node = selected;
                    select(undefined);
                    requestAnimationFrame(() =>
                      document.querySelector<HTMLElement>(`[data-node="${CSS.escape(node)}"]`)?.focus(),
                    );
                  }}
                  goToLine={goToLine}
                  act={{ remove, copy, move: setMoving }}
                />
              </FocusFirst>
            </div>
          )}
        </div>
      </Stack>
    </FormContext.Provider>
  );
}

/** Enter on a node goes into its form. A click leaves the focus where it is. */
function FocusFirst({ of, children }: { of: string; children: React.ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each selection is entered anew
  useEffect(() => {
    const active = document.activeElement;
    if (
      active instanceof HTMLElement &&
      active.dataset.node !== undefined &&
      active.matches(':focus-visible')
    ) {
      box.current?.querySelector<HTMLElement>('input, textarea, select')?.focus({ preventScroll: true });
    }
  }, [of]);
  return (
    <div ref={box} style={{ height: '100%' }}>
      {children}
    </div>
  );
}

/** The journey of a text; while that cannot be read, the one before. */
function useLastGood(text: string): { journey: Journey | undefined; problem: Read['problem'] } {
  const deferred = useDeferredValue(text);
  const last = useRef<Journey>(undefined);
  return useMemo(() => {
    const { journey, problem } = readJourney(deferred);
    if (journey !== undefined) {
      last.current = journey;
    }
    return { journey: journey ?? last.current, problem };
  }, [deferred]);
}

type CheckState = { found: readonly TextProblem[]; isChecking: boolean; isFailed: boolean };
const NONE: readonly TextProblem[] = [];

function useCheck(text: string): CheckState {
  const [settled] = useDebouncedValue(text, CHECK_PAUSE_MS);
  const query = useQuery({
    queryKey: ['journeys', 'check', settled],
    queryFn: ({ signal }) => check(settled, signal),
    placeholderData: (before) => before,
    gcTime: 0,
    retry: 1,
    enabled: settled.trim() !== '',
  });
  return {
    found: query.data?.problems ?? NONE,
    isChecking: query.isFetching || settled !== text,
    isFailed: query.isError,
  };
}

function countByNode(journey: Journey | undefined, problems: readonly TextProblem[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const problem of problems) {
    const node = journey === undefined ? undefined : nodeOfPath(journey, readPath(problem.path));
    if (node !== undefined) {
      counts.set(node, (counts.get(node) ?? 0) + 1);
    }
  }
  return counts;
}

/** How many problems there are, and each of them to go to. */
function Problems({ state, open }: { state: CheckState; open: (problem: TextProblem) => void }) {
  const { t } = useTranslation('journeys');
  const [opened, setOpened] = useState(false);
  const { found, isChecking, isFailed } = state;
  if (isFailed) {
    return (
      <Text size="xs" c="dimmed">
        {t('edit.unchecked')}
      </Text>
    );
  }
  if (found.length === 0) {
    return (
      <Group gap={4} role="status">
        {isChecking ? (
          <Loader size={12} />
        ) : (
          <IconCircleCheck size={15} color="var(--mantine-color-green-filled)" aria-hidden />
        )}
        <Text size="xs" c="dimmed">
          {isChecking ? t('edit.checking') : t('edit.fine')}
        </Text>
      </Group>
    );
  }
  return (
    <Popover
      opened={opened}
      onChange={setOpened}
      position="bottom-end"
      width={400}
      shadow="md"
      trapFocus
      returnFocus
    >
      <Popover.Target>
        <Badge
          component="button"
          color="red"
          variant="light"
          tt="none"
          style={{ cursor: 'pointer' }}
          leftSection={<IconAlertTriangle size={12} aria-hidden />}
          onClick={() => setOpened((before) => !before)}
          aria-expanded={opened}
        >
          {t('canvas.problems', { count: found.length })}
        </Badge>
      </Popover.Target>
      <Popover.Dropdown p={6} mah="50vh" style={{ overflowY: 'auto' }}>
        <Stack gap={2}>
          {found.map((one) => (
            <button
              type="button"
              key={`${one.path}:${one.line}:${one.what}`}
              className={classes.problem}
              onClick={() => {
                setOpened(false);
                open(one);
              }}
            >
              <Text size="xs" className="breaks">
                <b>{t('edit.line', { line: one.line })}</b> {one.message ?? one.what}
              </Text>
              <Text size="xs" c="dimmed" className="breaks">
                {one.remedy}
              </Text>
            </button>
          ))}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
