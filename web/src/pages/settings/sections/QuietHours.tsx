import { ActionIcon, Button, Group, Stack, Switch, Text, TextInput, UnstyledButton } from '@mantine/core';
import { IconMoon, IconPlus, IconX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { EditSection, type FormProps } from '../edit/EditSection';
import { sayDays, weekdayNames } from './days';
import {
  checkQuiet,
  type Day,
  type Days,
  EVERY_DAY,
  PERIODS_MAX,
  type Period,
  type QuietForm,
  readQuiet,
  tidyTime,
  WEEK,
  writeQuiet,
} from './quiet';
import classes from './sections.module.css';
import { CHANNELS } from './values';
import { WeekStrip } from './WeekStrip';

/** What a channel begins with. */
const NIGHT: Period = { days: EVERY_DAY, from: '21:00', to: '09:00' };

/** When a channel rests. */
export function QuietHours() {
  const { t } = useTranslation('settings');
  return (
    <EditSection<QuietForm>
      section="quiet_hours"
      title={t('quiet.title')}
      text={t('quiet.text')}
      shape={{ read: readQuiet, write: writeQuiet, check: (form) => checkQuiet(form, t) }}
      read={(form) => <Read form={form} />}
      edit={(props) => <Edit {...props} />}
      fields={CHANNELS}
    />
  );
}

function Read({ form }: { form: QuietForm }) {
  const { t, i18n } = useTranslation('settings');
  const own = CHANNELS.filter((channel) => (form[channel]?.length ?? 0) > 0);
  if (own.length === 0) {
    return <Text size="sm">{t('quiet.none')}</Text>;
  }
  return (
    <ul className={classes.entries}>
      {own.map((channel) => {
        const periods = form[channel] ?? [];
        const said = periods.map((one) => `${sayDays(one.days, i18n.language, t)} ${one.from}–${one.to}`);
        return (
          <li key={channel} className={classes.entry}>
            <Group justify="space-between" align="flex-start" gap="md">
              <Stack gap={2} style={{ flex: '1 1 200px', minWidth: 0 }}>
                <Text size="sm" fw={600}>
                  {t(`channel.${channel}`)}
                </Text>
                {said.map((one) => (
                  <Text key={one} size="sm">
                    {one}
                  </Text>
                ))}
              </Stack>
              <WeekStrip periods={periods} label={`${t(`channel.${channel}`)}: ${said.join(', ')}`} />
            </Group>
          </li>
        );
      })}
    </ul>
  );
}

function Edit({ form, set, wrong }: FormProps<QuietForm>) {
  const { t } = useTranslation('settings');
  return (
    <ul className={classes.entries}>
      {CHANNELS.map((channel) => {
        const periods = form[channel] ?? [];
        const change = (next: Period[]) => set({ [channel]: next });
        return (
          <li key={channel} className={classes.entry}>
            <Stack gap="sm">
              <Switch
                label={t(`channel.${channel}`)}
                checked={periods.length > 0}
                onChange={(event) => change(event.currentTarget.checked ? [NIGHT] : [])}
                error={periods.length === 0 ? wrong(channel, true) : undefined}
              />
              {periods.length > 0 && (
                <Group justify="space-between" align="flex-start" gap="md" pl={{ base: 0, sm: 46 }}>
                  <Stack gap="sm" style={{ flex: '1 1 300px', minWidth: 0 }}>
                    {periods.map((period, place) => (
                      <PeriodRow
                        // biome-ignore lint/suspicious/noArrayIndexKey: a period has nothing else that stays
                        key={place}
                        period={period}
                        of={t(`channel.${channel}`)}
                        error={
                          wrong(`${channel}.${place}`) ?? (place === 0 ? wrong(channel, true) : undefined)
                        }
                        set={(next) => change(periods.map((one, at) => (at === place ? next : one)))}
                        remove={() => change(periods.filter((_, at) => at !== place))}
                      />
                    ))}
                    {periods.length < PERIODS_MAX && (
                      <Group>
                        <Button
                          variant="subtle"
                          size="compact-sm"
                          leftSection={<IconPlus size={14} aria-hidden />}
                          onClick={() => change([...periods, NIGHT])}
                        >
                          {t('quiet.add')}
                        </Button>
                      </Group>
                    )}
                  </Stack>
                  <WeekStrip periods={periods} label={t('quiet.week')} />
                </Group>
              )}
            </Stack>
          </li>
        );
      })}
    </ul>
  );
}

type RowProps = {
  period: Period;
  /** The channel's name. */
  of: string;
  error: string | undefined;
  set: (period: Period) => void;
  remove: () => void;
};

function PeriodRow({ period, of, error, set, remove }: RowProps) {
  const { t } = useTranslation('settings');
  const time = (name: 'from' | 'to') => (
    <TextInput
      size="xs"
      w={70}
      inputMode="numeric"
      placeholder="00:00"
      aria-label={`${of}: ${t(`quiet.${name}`)}`}
      value={period[name]}
      onChange={(event) => set({ ...period, [name]: event.currentTarget.value })}
      onBlur={() => set({ ...period, [name]: tidyTime(period[name], name === 'to') })}
      error={error !== undefined}
    />
  );
  return (
    <Stack gap={6}>
      <div className={classes.period}>
        <IconMoon size={16} stroke={1.6} aria-hidden />
        <Group gap={6} wrap="nowrap">
          {time('from')}
          <Text size="sm" aria-hidden>
            –
          </Text>
          {time('to')}
        </Group>
        <ActionIcon variant="subtle" color="gray" onClick={remove} aria-label={`${of}: ${t('quiet.remove')}`}>
          <IconX size={15} aria-hidden />
        </ActionIcon>
      </div>
      <DayToggles days={period.days} of={of} set={(days) => set({ ...period, days })} />
      {error !== undefined && (
        <Text size="xs" c="var(--relance-late)" role="alert">
          {error}
        </Text>
      )}
    </Stack>
  );
}

function DayToggles({ days, of, set }: { days: Days; of: string; set: (days: Days) => void }) {
  const { t, i18n } = useTranslation('settings');
  const short = weekdayNames(i18n.language, 'short');
  const long = weekdayNames(i18n.language, 'long');
  const toggle = (day: Day) => {
    const own: readonly Day[] = days === 'bd' ? [] : days;
    set(
      own.includes(day)
        ? own.filter((one) => one !== day)
        : WEEK.filter((one) => one === day || own.includes(one)),
    );
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a group of buttons, not of fields
    <div className={classes.days} role="group" aria-label={`${of}: ${t('quiet.days')}`}>
      {WEEK.map((day, place) => (
        <UnstyledButton
          key={day}
          className={classes.day}
          aria-pressed={days !== 'bd' && days.includes(day)}
          title={long[place]}
          onClick={() => toggle(day)}
        >
          {short[place]}
        </UnstyledButton>
      ))}
      <UnstyledButton
        className={classes.day}
        aria-pressed={days === 'bd'}
        title={t('quiet.workingDaysText')}
        onClick={() => set(days === 'bd' ? EVERY_DAY : 'bd')}
      >
        {t('quiet.workingDays')}
      </UnstyledButton>
    </div>
  );
}
