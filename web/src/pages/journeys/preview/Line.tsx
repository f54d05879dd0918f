import { Text, UnstyledButton } from '@mantine/core';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { PreviewLine } from '../calls';
import { findStep, type Journey } from '../model/journey';
import { Speaker, sayReason } from '../model/say';
import classes from './Play.module.css';

const COLORS: Record<string, string> = {
  enrolled: 'blue',
  would_send: 'green',
  task: 'orange',
  notified: 'orange',
  held: 'yellow',
  dropped: 'red',
  skipped: 'gray',
  not_enrolled: 'gray',
  exited: 'red',
  converted: 'teal',
  finished: 'gray',
};

type Props = {
  line: PreviewLine;
  before: PreviewLine | undefined;
  journey: Journey;
  state: 'past' | 'now' | 'later';
  open: () => void;
};

/** One thing that would happen, with its moment by the contact's clock. */
export function Line({ line, before, journey, state, open }: Props) {
  const { t, i18n } = useTranslation('journeys');
  const speaker = useMemo(() => new Speaker(i18n.t, i18n.language), [i18n.t, i18n.language]);
  const step = findStep(journey, line.step);
  const day = dayOf(line.at, i18n.language);
  const said = step === undefined ? undefined : speaker.step(step).head;
  const reason = line.reason === undefined ? undefined : sayReason(i18n.t, line.reason);
  const until =
    line.until === undefined
      ? undefined
      : t('preview.until', { time: `${dayOf(line.until, i18n.language)}, ${clockOf(line.until)}` });
  const more = [reason, until, line.variant, line.detail].filter((one) => one !== undefined && one !== '');
  return (
    <>
      {(before === undefined || dayOf(before.at, i18n.language) !== day) && (
        <Text size="xs" fw={600} c="dimmed" className={classes.day}>
          {day}
        </Text>
      )}
      <UnstyledButton
        className={classes.line}
        data-state={state}
        aria-current={state === 'now' ? 'step' : undefined}
        onClick={open}
      >
        <span className={classes.time}>{clockOf(line.at)}</span>
        <span
          className={classes.dot}
          style={{ background: `var(--mantine-color-${COLORS[line.what] ?? 'gray'}-filled)` }}
          aria-hidden
        />
        <span className={classes.what}>
          {/* A wait says itself what it is. */}
          {line.what === 'waiting' && said !== undefined ? (
            <b>{said}</b>
          ) : (
            <>
              <b>{t(`what.${line.what}`, line.what)}</b>
              {said !== undefined && ` · ${said}`}
            </>
          )}
          {more.length > 0 && <span className={classes.more}>{more.join(' · ')}</span>}
        </span>
      </UnstyledButton>
    </>
  );
}

/** The moment carries the offset of the contact's zone: its own words are the contact's clock. */
function dayOf(at: string, language: string): string {
  const date = new Date(`${at.slice(0, 10)}T12:00:00Z`);
  return Number.isNaN(date.getTime())
    ? at.slice(0, 10)
    : new Intl.DateTimeFormat(language, {
        weekday: 'short',
        day: 'numeric',
        month: 'short',
        year: 'numeric',
        timeZone: 'UTC',
      }).format(date);
}

function clockOf(at: string): string {
  return at.slice(11, 16);
}
