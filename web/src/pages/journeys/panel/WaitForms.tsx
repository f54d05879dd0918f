import { Chip, Group, Input, Stack } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { type Step, textOf } from '../model/journey';
import { isPlain, type Plain } from '../model/render';
import { Speaker } from '../model/say';
import { ChoiceField, DurationField, TextField } from './fields';
import { useOption } from './useEditing';

const MODES = ['for', 'time', 'date', 'best'] as const;
type Mode = (typeof MODES)[number];

function modeOf(wait: unknown): Mode {
  if (wait === 'best_hour') {
    return 'best';
  }
  if (!isPlain(wait)) {
    return 'for';
  }
  const until = textOf(wait.until) ?? '';
  return until === 'best_hour' ? 'best' : /^\d/.test(until) ? 'time' : 'date';
}

const FRESH: Record<Mode, unknown> = {
  for: '1d',
  time: { until: '10:00' },
  date: { until: 'subject.due', offset: '-3d', at: '10:00' },
  best: { until: 'best_hour', default: '10:00' },
};

export function WaitForm({ step }: { step: Step }) {
  const { t } = useTranslation('journeys');
  const set = useOption(step);
  const { wait, window } = step.value;
  const mode = modeOf(wait);
  const map: Plain = isPlain(wait) ? wait : {};
  const put = (key: string, value: unknown) => {
    const { [key]: _old, ...rest } = map;
    set('wait', value === undefined ? rest : { ...map, [key]: value });
  };
  return (
    <>
      <ChoiceField
        label={t('wait.mode')}
        value={mode}
        options={MODES.map((one) => ({ value: one, label: t(`wait.${one}`) }))}
        commit={(next) => set('wait', FRESH[MODES.find((one) => one === next) ?? 'for'])}
      />
      {mode === 'for' && (
        <DurationField
          label={t('wait.time')}
          value={wait}
          clearable={false}
          commit={(next) => set('wait', next)}
        />
      )}
      {mode === 'time' && (
        <TextField
          label={t('field.clock')}
          value={textOf(map.until)}
          required
          placeholder="10:00"
          commit={(next) => put('until', next)}
        />
      )}
      {mode === 'date' && (
        <>
          <TextField
            label={t('field.date')}
            value={textOf(map.until)}
            names={['subject.due', 'contact.birthday', 'contact.next_contact']}
            required
            commit={(next) => put('until', next)}
          />
          <OffsetField value={map.offset} commit={(next) => put('offset', next)} />
          <TextField
            label={t('field.clock')}
            value={textOf(map.at)}
            placeholder="10:00"
            commit={(next) => put('at', next)}
          />
        </>
      )}
      {mode === 'best' && (
        <TextField
          label={t('wait.default')}
          value={textOf(map.default)}
          placeholder="10:00"
          commit={(next) =>
            set('wait', { until: 'best_hour', ...(next === undefined ? {} : { default: next }) })
          }
        />
      )}
      <WindowField value={window} commit={(next) => set('window', next)} />
    </>
  );
}

/** So many days before a date, or after it. */
export function OffsetField({
  value,
  commit,
}: {
  value: unknown;
  commit: (value: string | undefined) => void;
}) {
  const { t } = useTranslation('journeys');
  const text = textOf(value) ?? '';
  const isBefore = /^[-\u2212]/.test(text.trim());
  const time = text.trim().replace(/^[-\u2212+]\s*/, '');
  return (
    <>
      <DurationField
        label={t('field.offset')}
        value={time === '' ? undefined : time}
        commit={(next) => commit(next === undefined ? undefined : `${isBefore ? '-' : ''}${next}`)}
      />
      {time !== '' && (
        <ChoiceField
          label={t('field.side')}
          value={isBefore ? 'before' : 'after'}
          options={[
            { value: 'before', label: t('field.before') },
            { value: 'after', label: t('field.after') },
          ]}
          commit={(side) => commit(`${side === 'before' ? '-' : ''}${time}`)}
        />
      )}
    </>
  );
}

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** The days that a window names; `bd` are working days. */
function daysOf(value: unknown): string[] {
  const parts = (Array.isArray(value) ? value.map(String) : String(value ?? '').split(',')).map((one) =>
    one.trim(),
  );
  return parts.flatMap((part) => {
    const [from = '', to] = part.split('-').map((one) => DAYS.findIndex((day) => one.trim().startsWith(day)));
    return typeof from === 'number' && typeof to === 'number' && from >= 0 && to >= from
      ? DAYS.slice(from, to + 1)
      : part === ''
        ? []
        : [part];
  });
}

function writeDays(days: string[]): unknown {
  if (days.length === 0) {
    return undefined;
  }
  const [only] = days;
  if (days.length === 1) {
    return only;
  }
  const sorted = DAYS.filter((day) => days.includes(day));
  const first = DAYS.indexOf(sorted[0] ?? 'mon');
  const isRun = sorted.every((day, at) => day === DAYS[first + at]);
  return isRun && sorted.length > 2 ? `${sorted[0]}-${sorted.at(-1)}` : sorted;
}

export function WindowField({ value, commit }: { value: unknown; commit: (value: unknown) => void }) {
  const { t, i18n } = useTranslation('journeys');
  const window: Plain = isPlain(value) ? value : {};
  const days = daysOf(window.days);
  const speaker = new Speaker(i18n.t, i18n.language);
  const set = (key: 'days' | 'hours', next: unknown) => {
    const { [key]: _old, ...rest } = window;
    const map = next === undefined ? rest : { ...window, [key]: next };
    commit(Object.keys(map).length === 0 ? undefined : map);
  };
  return (
    <Stack gap={6} component="fieldset" p={0} m={0} bd="none">
      <Input.Label component="legend" size="xs" p={0} mb={4}>
        {t('window.title')}
      </Input.Label>
      <Group gap={4}>
        <Chip size="xs" checked={days.includes('bd')} onChange={(on) => set('days', on ? 'bd' : undefined)}>
          {t('window.workingDays')}
        </Chip>
        {DAYS.map((day) => (
          <Chip
            key={day}
            size="xs"
            checked={days.includes(day)}
            onChange={(on) => {
              const named = days.filter((one) => one !== 'bd' && one !== day);
              set('days', writeDays(on ? [...named, day] : named));
            }}
          >
            {speaker.day(day)}
          </Chip>
        ))}
      </Group>
      <TextField
        label={t('window.hours')}
        value={Array.isArray(window.hours) ? window.hours.join(',') : textOf(window.hours)}
        placeholder="09:00-18:00"
        commit={(next) => set('hours', next)}
      />
    </Stack>
  );
}
