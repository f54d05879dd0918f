import { ActionIcon, Button, Group, Stack } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { readOperand, writeOperand } from '../model/condition';
import { type Step, textOf } from '../model/journey';
import { isPlain, type Plain } from '../model/render';
import { ChoiceField, DurationField, TextField } from './fields';
import { useOption, useTools } from './useEditing';

export function TaskForm({ step }: { step: Step }) {
  const { t } = useTranslation('journeys');
  const set = useOption(step);
  const { task } = step.value;
  const map: Plain = isPlain(task) ? task : { title: task };
  const put = (key: string, value: unknown) => set('task', changed(map, key, value));
  return (
    <>
      <TextField
        label={t('field.title')}
        description={t('field.jinja')}
        value={textOf(map.title)}
        required
        lines
        commit={(next) => put('title', next)}
      />
      <DurationField label={t('field.due')} value={map.due} commit={(next) => put('due', next)} />
      <TextField
        label={t('field.assignee')}
        value={textOf(map.assignee)}
        names={['role:head', 'role:support']}
        placeholder={t('say.owner')}
        commit={(next) => put('assignee', next)}
      />
    </>
  );
}

function changed(map: Plain, key: string, value: unknown): Plain {
  const { [key]: _old, ...rest } = map;
  return value === undefined ? rest : { ...map, [key]: value };
}

export function NotifyForm({ step }: { step: Step }) {
  const { t } = useTranslation('journeys');
  const { names } = useTools();
  const set = useOption(step);
  const { notify } = step.value;
  const isMap = isPlain(notify);
  const map: Plain = isPlain(notify)
    ? notify
    : { to: notify, text: step.value.text, template: step.value.template };
  const put = (key: 'to' | 'text' | 'template', value: unknown) => {
    if (isMap) {
      set('notify', changed(map, key, value));
    } else {
      set(key === 'to' ? 'notify' : key, value);
    }
  };
  const byTemplate = map.template !== undefined;
  return (
    <>
      <TextField
        label={t('field.notifyWho')}
        value={textOf(map.to)}
        names={['owner', 'role:head']}
        required
        commit={(next) => put('to', next)}
      />
      {byTemplate ? (
        <TextField
          label={t('field.template')}
          value={textOf(map.template)}
          names={names.templates}
          required
          commit={(next) => put('template', next)}
        />
      ) : (
        <TextField
          label={t('field.text')}
          description={t('field.jinja')}
          value={textOf(map.text)}
          lines
          required
          commit={(next) => put('text', next)}
        />
      )}
    </>
  );
}

/** Names and values, each on a line: what is set, what a code carries. */
function PairsField({
  pairs,
  commit,
  canBeEmpty,
}: {
  pairs: Plain;
  commit: (pairs: Plain) => void;
  canBeEmpty: boolean;
}) {
  const { t } = useTranslation('journeys');
  const [fresh, setFresh] = useState(false);
  const entries = Object.entries(pairs);
  const rename = (at: number, name: string, value: unknown) =>
    commit(Object.fromEntries(entries.map((pair, index) => (index === at ? [name, value] : pair))));
  return (
    <Stack gap={6}>
      {entries.map(([name, value], at) => (
        <Group key={name} gap={6} wrap="nowrap" align="flex-end">
          <TextField
            label={t('field.field')}
            value={name}
            required
            commit={(next) => rename(at, next ?? name, value)}
          />
          <TextField
            label={t('field.value')}
            value={value === null ? 'null' : writeOperand(value)}
            commit={(next) =>
              rename(at, name, next === undefined || next === 'null' ? null : readOperand(next, 'eq'))
            }
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={t('condition.remove')}
            disabled={!canBeEmpty && entries.length === 1}
            onClick={() => commit(Object.fromEntries(entries.filter((_, index) => index !== at)))}
          >
            <IconTrash size={15} aria-hidden />
          </ActionIcon>
        </Group>
      ))}
      {fresh ? (
        <TextField
          label={t('field.newField')}
          value=""
          placeholder={'contact.grade'}
          commit={(name) => {
            setFresh(false);
            if (name !== undefined) {
              commit({ ...pairs, [name]: true });
            }
          }}
        />
      ) : (
        <Button
          size="compact-xs"
          variant="subtle"
          leftSection={<IconPlus size={13} aria-hidden />}
          onClick={() => setFresh(true)}
          style={{ alignSelf: 'start' }}
        >
          {t('field.addField')}
        </Button>
      )}
    </Stack>
  );
}

export function SetForm({ step }: { step: Step }) {
  const set = useOption(step);
  const pairs: Plain = isPlain(step.value.set) ? step.value.set : {};
  return <PairsField pairs={pairs} canBeEmpty={false} commit={(next) => set('set', next)} />;
}

export function PromoForm({ step }: { step: Step }) {
  const { t } = useTranslation('journeys');
  const set = useOption(step);
  const { promo } = step.value;
  const map: Plain = isPlain(promo) ? promo : { prefix: promo };
  const put = (key: string, value: unknown) => set('promo', changed(map, key, value));
  const fields: Plain = isPlain(map.fields) ? map.fields : {};
  return (
    <>
      <TextField
        label={t('field.prefix')}
        value={textOf(map.prefix)}
        required
        commit={(next) => put('prefix', next)}
      />
      <DurationField label={t('field.valid')} value={map.valid} commit={(next) => put('valid', next)} />
      <TextField
        label={t('field.saveAs')}
        value={textOf(map.save_as)}
        placeholder={'promo_code'}
        commit={(next) => put('save_as', next)}
      />
      <PairsField
        pairs={fields}
        canBeEmpty
        commit={(next) => put('fields', Object.keys(next).length === 0 ? undefined : next)}
      />
    </>
  );
}

export function MoveForm({ step }: { step: Step }) {
  const { t } = useTranslation('journeys');
  const set = useOption(step);
  return (
    <TextField
      label={t('field.stage')}
      value={textOf(step.value.move)}
      names={['in_work', 'stuck', 'warming', 'reanimated', 'won', 'lost']}
      required
      commit={(next) => set('move', next)}
    />
  );
}

export function EnrollForm({ step }: { step: Step }) {
  const { t } = useTranslation('journeys');
  const { names } = useTools();
  const set = useOption(step);
  return (
    <ChoiceField
      label={t('field.journey')}
      value={textOf(step.value.enroll)}
      options={names.journeys.map((one) => ({ value: one, label: one }))}
      commit={(next) => set('enroll', next ?? '')}
    />
  );
}
