/** A text played for one contact: what would happen, line by line, with the step lit on the picture. */
import {
  ActionIcon,
  Alert,
  Button,
  Group,
  ScrollArea,
  SegmentedControl,
  Slider,
  Stack,
  Text,
  Tooltip,
} from '@mantine/core';
import {
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerSkipBack,
  IconPlayerTrackNext,
  IconPlayerTrackPrev,
} from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { failureOf } from '../../../api/problem';
import { ContactPicker, type PickedContact } from '../../../shared/ContactPicker';
import { ProblemNote } from '../../../shared/ProblemNote';
import { useNow } from '../../../shared/useNow';
import { useSession } from '../../../shell/useSession';
import { type Played, type PreviewAsked, preview, type TextProblem } from '../calls';
import { Canvas } from '../canvas/Canvas';
import { type Journey, readJourney } from '../model/journey';
import { Line } from './Line';
import { MadeForm } from './MadeForm';
import { callsOf, type Made, MadeProblem, madeFor } from './made';
import classes from './Play.module.css';

const BEAT_MS = 900;
const DAY_MS = 86_400_000;
/** How far back a real contact's history is played anew. */
const HISTORY_DAYS = 90;

export function Play({ text }: { text: string }) {
  const { t } = useTranslation('journeys');
  const session = useSession();
  const now = useNow();
  const journey = useMemo(() => readJourney(text).journey, [text]);
  const zone = session?.workspace.zone ?? 'UTC';
  const [who, setWho] = useState<'made' | 'real'>('made');
  const [contact, setContact] = useState<PickedContact>();
  const [made, setMade] = useState<Made>(() => madeFor(journey?.value ?? {}, zone));
  const [wrong, setWrong] = useState<string>();
  const play = useMutation({ mutationFn: (asked: PreviewAsked) => preview(asked) });
  const run = () => {
    setWrong(undefined);
    if (who === 'real') {
      if (contact !== undefined) {
        const from = new Date(now - HISTORY_DAYS * DAY_MS).toISOString();
        play.mutate({ text, contact: contact.id, from });
      }
      return;
    }
    try {
      const begin = new Date(now);
      const { identify, events } = callsOf(made, begin);
      play.mutate({ text, identify, events, from: new Date(begin.getTime() - DAY_MS).toISOString() });
    } catch (problem) {
      setWrong(problem instanceof MadeProblem ? problem.field : String(problem));
    }
  };
  if (journey === undefined) {
    return <Alert color="red">{t('edit.unreadable')}</Alert>;
  }
  return (
    <div className={classes.frame}>
      <Stack gap="sm" className={classes.form}>
        <SegmentedControl
          size="xs"
          aria-label={t('preview.who')}
          value={who}
          onChange={(next) => setWho(next === 'real' ? 'real' : 'made')}
          data={[
            { value: 'made', label: t('preview.made') },
            { value: 'real', label: t('preview.real') },
          ]}
        />
        {who === 'real' ? (
          <>
            <ContactPicker
              label={t('preview.contact')}
              placeholder={t('preview.search')}
              nobody={t('preview.nobody')}
              value={contact}
              onChange={setContact}
            />
            <Text size="xs" c="dimmed">
              {t('preview.realHint', { count: HISTORY_DAYS })}
            </Text>
          </>
        ) : (
          <MadeForm made={made} change={setMade} wrong={wrong} />
        )}
        <Button
          className={classes.run}
          onClick={run}
          loading={play.isPending}
          disabled={who === 'real' && contact === undefined}
          leftSection={<IconPlayerPlay size={15} aria-hidden />}
        >
          {t('preview.run')}
        </Button>
        {play.isError && <PlayProblem error={play.error} />}
      </Stack>
      {play.data === undefined ? (
        <div className={classes.canvas}>
          <Canvas journey={journey} />
        </div>
      ) : (
        <Lines key={play.submittedAt} journey={journey} played={play.data} />
      )}
    </div>
  );
}

function PlayProblem({ error }: { error: unknown }) {
  const { t } = useTranslation('journeys');
  const { problem } = failureOf(error);
  const found = Array.isArray(problem.problems) ? (problem.problems as TextProblem[]) : [];
  if (found.length === 0) {
    return <ProblemNote error={error} />;
  }
  return (
    <Alert color="red" variant="light" title={t('preview.wrong')} role="alert">
      <Stack gap={4}>
        {found.map((one) => (
          <Text key={`${one.path}:${one.what}`} size="xs" className="breaks">
            <b>{t('edit.line', { line: one.line })}</b> {one.message ?? one.what}. {one.remedy}
          </Text>
        ))}
      </Stack>
    </Alert>
  );
}

function Lines({ journey, played }: { journey: Journey; played: Played }) {
  const { t } = useTranslation('journeys');
  const { lines } = played;
  const [at, setAt] = useState(0);
  const [isPlaying, setIsPlaying] = useState(false);
  const list = useRef<HTMLDivElement>(null);
  const last = lines.length - 1;
  useEffect(() => {
    if (!isPlaying) {
      return undefined;
    }
    if (at >= last) {
      setIsPlaying(false);
      return undefined;
    }
    const timer = setTimeout(() => setAt(at + 1), BEAT_MS);
    return () => clearTimeout(timer);
  }, [isPlaying, at, last]);
  useEffect(() => {
    list.current?.querySelector(`[data-line="${at}"]`)?.scrollIntoView({ block: 'nearest' });
  }, [at]);
  const lit = nodeOf(lines[at]);
  const passed = useMemo(
    () => new Set(lines.slice(0, at).flatMap((line) => nodeOf(line) ?? [])),
    [lines, at],
  );
  const go = (to: number) => {
    setIsPlaying(false);
    setAt(Math.max(0, Math.min(last, to)));
  };
  if (lines.length === 0) {
    return (
      <>
        <div className={classes.canvas}>
          <Canvas journey={journey} />
        </div>
        <section className={classes.lines} aria-label={t('preview.lines')}>
          <Text size="sm" p="md" role="status">
            {t('preview.nothing')}
          </Text>
        </section>
      </>
    );
  }
  return (
    <>
      <div className={classes.canvas}>
        <Canvas journey={journey} lit={lit} passed={passed} />
      </div>
      <section className={classes.lines} aria-label={t('preview.lines')}>
        <Group gap={4} wrap="nowrap" p="xs" className={classes.player}>
          <Tool label={t('preview.first')} icon={IconPlayerSkipBack} run={() => go(0)} disabled={at === 0} />
          <Tool
            label={t('preview.back')}
            icon={IconPlayerTrackPrev}
            run={() => go(at - 1)}
            disabled={at === 0}
          />
          <Tool
            label={isPlaying ? t('preview.pause') : t('preview.play')}
            icon={isPlaying ? IconPlayerPause : IconPlayerPlay}
            run={() => {
              if (!isPlaying && at >= last) {
                setAt(0);
              }
              setIsPlaying(!isPlaying);
            }}
            filled
          />
          <Tool
            label={t('preview.next')}
            icon={IconPlayerTrackNext}
            run={() => go(at + 1)}
            disabled={at >= last}
          />
          <Slider
            flex={1}
            mx="xs"
            size="sm"
            min={0}
            max={Math.max(1, last)}
            value={at}
            onChange={go}
            label={null}
            thumbLabel={t('preview.lines')}
          />
          <Text size="xs" c="dimmed" className="numbers">
            {at + 1} / {lines.length}
          </Text>
        </Group>
        {played.started && (
          <Text size="xs" c="dimmed" px="sm" pb={4}>
            {t('preview.started')}
          </Text>
        )}
        <ScrollArea className={classes.scroll} viewportRef={list} type="auto">
          <ol className={classes.list}>
            {lines.map((line, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: lines of one answer, in their order
              <li key={index} data-line={index}>
                <Line
                  line={line}
                  journey={journey}
                  before={lines[index - 1]}
                  state={index === at ? 'now' : index < at ? 'past' : 'later'}
                  open={() => go(index)}
                />
              </li>
            ))}
          </ol>
          {played.more && (
            <Text size="xs" c="dimmed" p="sm">
              {t('preview.more')}
            </Text>
          )}
        </ScrollArea>
      </section>
    </>
  );
}

/** The node that a line is about. */
function nodeOf(line: { what: string; step?: string } | undefined): string | undefined {
  if (line?.step !== undefined) {
    return line.step;
  }
  return line?.what === 'enrolled' || line?.what === 'not_enrolled'
    ? ':trigger'
    : line?.what === 'exited' || line?.what === 'converted'
      ? ':exits'
      : undefined;
}

type ToolProps = {
  label: string;
  icon: typeof IconPlayerPlay;
  run: () => void;
  disabled?: boolean;
  filled?: boolean;
};

function Tool({ label, icon: Icon, run, disabled = false, filled = false }: ToolProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant={filled ? 'filled' : 'subtle'}
        color={filled ? undefined : 'gray'}
        aria-label={label}
        onClick={run}
        disabled={disabled}
      >
        <Icon size={16} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
}
