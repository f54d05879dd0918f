import { ActionIcon, Box, Button, Divider, Group, NumberInput, Stack, Switch } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { type Journey, textOf } from '../model/journey';
import { isPlain, type Plain } from '../model/render';
import { changesOf } from '../model/surgery';
import { ApprovalField } from './ApprovalField';
import { ConditionField } from './ConditionField';
import { ChoiceField, DurationField, TextField } from './fields';
import { useSetAt, useTools } from './useEditing';
import { OffsetField } from './WaitForms';

const TRIGGERS = [
  'event',
  'form',
  'segment_entered',
  'segment_left',
  'changed',
  'inactive',
  'date',
  'schedule',
  'manual',
  'api',
] as const;
type Trigger = (typeof TRIGGERS)[number];

const FRESH: Record<Trigger, unknown> = {
  event: { event: 'Document Sent' },
  form: { form: 'callback' },
  segment_entered: { segment_entered: 'vip' },
  segment_left: { segment_left: 'vip' },
  changed: { changed: 'contact.plan' },
  inactive: { inactive: '7d' },
  date: { date: 'contact.birthday', at: '10:00', yearly: true },
  schedule: { schedule: { days: 'tue', at: '10:00' } },
  manual: 'manual',
  api: 'api',
};

function sortOf(trigger: unknown): Trigger | undefined {
  if (typeof trigger === 'string') {
    return TRIGGERS.find((one) => one === trigger);
  }
  if (!isPlain(trigger)) {
    return undefined;
  }
  // `inactive` stands before the event that did not come.
  return (
    TRIGGERS.find((one) => one !== 'event' && one in trigger) ?? ('event' in trigger ? 'event' : undefined)
  );
}

export function TriggerForm({ journey }: { journey: Journey }) {
  const { t } = useTranslation('journeys');
  const { names } = useTools();
  const setAt = useSetAt();
  const { trigger } = journey.value;
  const map: Plain = isPlain(trigger) ? trigger : {};
  const sort = sortOf(trigger);
  const put = (key: string, value: unknown) => setAt(['trigger', key], value);
  return (
    <>
      <ChoiceField
        label={t('trigger.sort')}
        value={sort}
        options={TRIGGERS.map((one) => ({ value: one, label: t(`trigger.${one}`) }))}
        commit={(next) => {
          const fresh = FRESH[TRIGGERS.find((one) => one === next) ?? 'event'];
          setAt(
            ['trigger'],
            isPlain(fresh) && map.where !== undefined ? { ...fresh, where: map.where } : fresh,
          );
        }}
      />
      {(sort === 'event' || sort === 'inactive') && (
        <TextField
          label={t('field.event')}
          value={textOf(map.event)}
          names={names.events}
          required={sort === 'event'}
          commit={(next) => put('event', next)}
        />
      )}
      {sort === 'inactive' && (
        <DurationField
          label={t('trigger.silence')}
          value={map.inactive}
          clearable={false}
          commit={(next) => put('inactive', next)}
        />
      )}
      {sort === 'form' && (
        <TextField
          label={t('field.form')}
          value={textOf(map.form)}
          required
          commit={(next) => put('form', next)}
        />
      )}
      {(sort === 'segment_entered' || sort === 'segment_left') && (
        <TextField
          label={t('field.segment')}
          value={textOf(map[sort])}
          names={names.segments}
          required
          commit={(next) => put(sort, next)}
        />
      )}
      {sort === 'changed' && <ChangedFields map={map} />}
      {sort === 'date' && (
        <>
          <TextField
            label={t('field.date')}
            value={textOf(map.date)}
            names={['contact.birthday', 'subject.due']}
            required
            commit={(next) => put('date', next)}
          />
          <OffsetField value={map.offset} commit={(next) => put('offset', next)} />
          <TextField
            label={t('field.clock')}
            value={textOf(map.at)}
            placeholder="09:00"
            commit={(next) => put('at', next)}
          />
          <Switch
            size="xs"
            label={t('trigger.yearly')}
            checked={map.yearly === true}
            onChange={(event) => put('yearly', event.currentTarget.checked ? true : undefined)}
          />
        </>
      )}
      {sort === 'schedule' && <ScheduleFields map={map} />}
      {sort !== undefined && isPlain(trigger) && (
        <ConditionField
          label={t('field.where')}
          value={map.where}
          names={names}
          commit={(next) => put('where', next)}
        />
      )}
    </>
  );
}

function ChangedFields({ map }: { map: Plain }) {
  const { t } = useTranslation('journeys');
  const setAt = useSetAt();
  const inner = isPlain(map.changed);
  const changed: Plain = isPlain(map.changed) ? map.changed : { ...map, field: map.changed };
  const base = inner ? ['trigger', 'changed'] : ['trigger'];
  return (
    <>
      <TextField
        label={t('field.field')}
        value={textOf(changed.field)}
        required
        commit={(next) => setAt(inner ? [...base, 'field'] : [...base, 'changed'], next)}
      />
      <TextField
        label={t('trigger.from')}
        value={textOf(changed.from)}
        commit={(next) => setAt([...base, 'from'], next)}
      />
      <TextField
        label={t('trigger.to')}
        value={textOf(changed.to)}
        commit={(next) => setAt([...base, 'to'], next)}
      />
    </>
  );
}

function ScheduleFields({ map }: { map: Plain }) {
  const { t } = useTranslation('journeys');
  const { names } = useTools();
  const setAt = useSetAt();
  const schedule: Plain = isPlain(map.schedule) ? map.schedule : {};
  const put = (key: string, value: unknown) => setAt(['trigger', 'schedule', key], value);
  return (
    <>
      <TextField
        label={t('trigger.days')}
        description={t('trigger.daysHint')}
        value={Array.isArray(schedule.days) ? schedule.days.join(', ') : textOf(schedule.days)}
        commit={(next) => put('days', next)}
      />
      <TextField
        label={t('field.clock')}
        value={textOf(schedule.at)}
        required
        placeholder="10:00"
        commit={(next) => put('at', next)}
      />
      <TextField
        label={t('trigger.every')}
        value={textOf(schedule.every)}
        placeholder={'2w'}
        commit={(next) => put('every', next)}
      />
      <TextField
        label={t('field.segment')}
        value={textOf(map.segment)}
        names={names.segments}
        placeholder={t('say.everyone')}
        commit={(next) => setAt(['trigger', 'segment'], next)}
      />
    </>
  );
}

export function ExitsForm({ journey }: { journey: Journey }) {
  const { t } = useTranslation('journeys');
  const { names, text, change } = useTools();
  const setAt = useSetAt();
  const exits: unknown[] = Array.isArray(journey.value.exit) ? journey.value.exit : [];
  const goal: Plain | undefined = isPlain(journey.value.goal) ? journey.value.goal : undefined;
  return (
    <>
      {exits.map((one, at) => {
        const exit: Plain = isPlain(one) ? one : {};
        const path = ['exit', at];
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: exits have no names; their place is what they are
          <Box key={at} p={8} bd="1px solid var(--relance-line)" style={{ borderRadius: 8 }}>
            <Stack gap={6}>
              <Group gap={6} wrap="nowrap" align="flex-end">
                <Box style={{ flex: 1 }}>
                  <TextField
                    label={t('exit.event')}
                    value={textOf(exit.event)}
                    names={names.events}
                    required
                    commit={(next) => setAt([...path, 'event'], next)}
                  />
                </Box>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={t('exit.remove')}
                  onClick={() =>
                    change(changesOf(text(), { do: 'remove', path: exits.length === 1 ? ['exit'] : path }))
                  }
                >
                  <IconTrash size={15} aria-hidden />
                </ActionIcon>
              </Group>
              <ConditionField
                label={t('field.where')}
                value={exit.where}
                names={names}
                commit={(next) => setAt([...path, 'where'], next)}
              />
              {journey.value.subject !== undefined && (
                <Switch
                  size="xs"
                  label={t('exit.any')}
                  checked={exit.any === true}
                  onChange={(event) =>
                    setAt([...path, 'any'], event.currentTarget.checked ? true : undefined)
                  }
                />
              )}
            </Stack>
          </Box>
        );
      })}
      <Button
        size="compact-xs"
        variant="subtle"
        leftSection={<IconPlus size={13} aria-hidden />}
        onClick={() =>
          exits.length === 0
            ? setAt(['exit'], [{ event: 'Replied' }])
            : change(
                changesOf(text(), {
                  do: 'insert',
                  list: ['exit'],
                  at: exits.length,
                  value: { event: 'Replied' },
                }),
              )
        }
        style={{ alignSelf: 'start' }}
      >
        {t('exit.add')}
      </Button>
      <Divider label={t('exit.goal')} labelPosition="left" />
      <TextField
        label={t('exit.goalEvent')}
        description={t('exit.goalHint')}
        value={textOf(goal?.event)}
        names={names.events}
        commit={(next) =>
          next === undefined
            ? setAt(['goal'], undefined)
            : goal === undefined
              ? setAt(['goal'], { event: next, within: '30d' })
              : setAt(['goal', 'event'], next)
        }
      />
      {goal !== undefined && (
        <>
          <DurationField
            label={t('exit.within')}
            value={goal.within ?? '30d'}
            commit={(next) => setAt(['goal', 'within'], next)}
          />
          <ConditionField
            label={t('field.where')}
            value={goal.where}
            names={names}
            commit={(next) => setAt(['goal', 'where'], next)}
          />
        </>
      )}
    </>
  );
}

const REENTRIES = ['once', 'once_per_subject', 'always', 'after'] as const;

export function HeadForm({ journey }: { journey: Journey }) {
  const { t } = useTranslation('journeys');
  const setAt = useSetAt();
  const { value } = journey;
  const reentry = isPlain(value.reentry) ? 'after' : textOf(value.reentry);
  const holdout = isPlain(value.holdout) ? textOf(value.holdout.share) : textOf(value.holdout);
  const holdoutPath = isPlain(value.holdout) ? ['holdout', 'share'] : ['holdout'];
  return (
    <>
      <TextField label={t('head.name')} value={journey.name} commit={(next) => setAt(['name'], next)} />
      <TextField
        label={t('head.subject')}
        description={t('head.subjectHint')}
        value={textOf(value.subject)}
        names={['document', 'deal', 'order', 'cart']}
        placeholder={'contact'}
        commit={(next) => setAt(['subject'], next === 'contact' ? undefined : next)}
      />
      <ChoiceField
        label={t('head.reentry')}
        value={reentry}
        clearable
        options={REENTRIES.map((one) => ({ value: one, label: t(`reentry.${one}`) }))}
        commit={(next) => setAt(['reentry'], next === 'after' ? { after: '30d' } : next)}
      />
      {isPlain(value.reentry) && (
        <DurationField
          label={t('head.reentryAfter')}
          value={value.reentry.after}
          clearable={false}
          commit={(next) => setAt(['reentry'], { after: next })}
        />
      )}
      <TextField
        label={t('head.holdout')}
        description={t('head.holdoutHint')}
        value={holdout}
        placeholder="10%"
        commit={(next) =>
          next === undefined
            ? setAt(['holdout'], undefined)
            : setAt(holdoutPath, /^\d+(\.\d+)?$/.test(next) ? `${next}%` : next)
        }
      />
      <ApprovalField
        label={t('field.approval')}
        value={value.approval}
        commit={(next) => setAt(['approval'], next)}
      />
      <TextField
        label={t('head.topic')}
        value={textOf(value.topic)}
        commit={(next) => setAt(['topic'], next)}
      />
      <NumberInput
        size="xs"
        label={t('head.priority')}
        min={-1000}
        max={1000}
        value={typeof value.priority === 'number' ? value.priority : ''}
        placeholder="0"
        onChange={(next) => setAt(['priority'], typeof next === 'number' ? next : undefined)}
      />
    </>
  );
}
