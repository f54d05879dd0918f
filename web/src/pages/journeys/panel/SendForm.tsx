import { Anchor, Switch } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { type Step, textOf } from '../model/journey';
import { ApprovalField } from './ApprovalField';
import { ConditionField } from './ConditionField';
import { ChoiceField, DurationField, TextField } from './fields';
import { useOption, useTools } from './useEditing';

const CHANNELS = ['email', 'sms', 'voice', 'whatsapp', 'telegram', 'webhook', 'letter'] as const;

export function SendForm({ step }: { step: Step }) {
  const { t } = useTranslation('journeys');
  const { names } = useTools();
  const set = useOption(step);
  const { value } = step;
  const template = textOf(value.template);
  const isEmail = value.send === 'email';
  const isKnown = template !== undefined && names.templates.includes(template);
  return (
    <>
      <ChoiceField
        label={t('field.channel')}
        value={textOf(value.send)}
        options={CHANNELS.map((one) => ({ value: one, label: t(`channel.${one}`) }))}
        commit={(channel) => set('send', channel ?? 'email')}
      />
      <TextField
        label={t('field.template')}
        value={template}
        names={names.templates}
        required
        commit={(next) => set('template', next)}
        description={template === undefined || isKnown ? undefined : t('field.templateMissing')}
      />
      {isKnown && (
        <Anchor
          size="xs"
          renderRoot={(props) => <Link {...props} to="/templates/$id" params={{ id: template }} />}
        >
          {t('field.openTemplate')}
        </Anchor>
      )}
      {isEmail && (
        <Switch
          size="xs"
          label={t('field.fromOwner')}
          checked={value.from === 'owner_mailbox'}
          onChange={(event) => set('from', event.currentTarget.checked ? 'owner_mailbox' : undefined)}
        />
      )}
      <ApprovalField
        label={t('field.approval')}
        value={value.approval}
        commit={(next) => set('approval', next)}
        inherits
      />
      <ConditionField
        label={t('field.onlyIf')}
        value={value.if}
        names={names}
        commit={(next) => set('if', next)}
      />
      <TextField
        label={t('field.content')}
        value={textOf(value.content)}
        names={names.lists}
        commit={(next) => set('content', next)}
      />
      <DurationField label={t('field.digest')} value={value.digest} commit={(next) => set('digest', next)} />
      {isEmail && (
        <DurationField
          label={t('field.openedWithin')}
          value={value.opened_within}
          commit={(next) => set('opened_within', next)}
        />
      )}
      <Switch
        size="xs"
        label={t('field.otherwise')}
        checked={value.otherwise !== undefined}
        disabled={Array.isArray(value.otherwise) && value.otherwise.length > 0}
        onChange={(event) => set('otherwise', event.currentTarget.checked ? [] : undefined)}
      />
    </>
  );
}
