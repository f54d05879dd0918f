/** A rule of the user's own: by what it goes, and what such a mail is. */
import { Button, Checkbox, Group, Modal, Radio, SegmentedControl, Stack, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ProblemNote } from '../../shared/ProblemNote';
import { FIELDS, type Field, type Mail, offered, THENS, type Then, type When } from './api';
import { useTeach } from './useTeach';

type Props = {
  /** The mail that it is made of; a new one begins empty. */
  mail?: Mail;
  mailbox?: string;
  then: Then;
  close: () => void;
};

const TEXT_MAX = 200;

export function RuleDialog({ mail, mailbox, then: begun, close }: Props) {
  const { t } = useTranslation('recognition');
  const teach = useTeach();
  const [texts, setTexts] = useState<Record<Field, string>>(() =>
    mail === undefined ? { to: '', domain: '', subject: '', file: '' } : offered(mail),
  );
  const [by, setBy] = useState<Field>(() => FIELDS.find((one) => texts[one] !== '') ?? 'to');
  const [then, setThen] = useState<Then>(begun);
  const [onlyFrom, setOnlyFrom] = useState(false);
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const text = texts[by].trim();
  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (text === '') {
      return;
    }
    setBusy(true);
    setError(undefined);
    const when: When = {
      [by]: text.slice(0, TEXT_MAX),
      ...(onlyFrom && mailbox !== undefined ? { from: mailbox } : {}),
    };
    try {
      await teach.add(when, then);
      close();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal
      opened
      onClose={close}
      title={t('rule.title')}
      closeButtonProps={{ 'aria-label': t('shell:close') }}
    >
      <form onSubmit={save}>
        <Stack gap="md">
          <Radio.Group label={t('rule.by')} value={by} onChange={(next) => setBy(next as Field)}>
            <Stack gap={8} mt={6}>
              {FIELDS.map((one) => (
                <Radio key={one} value={one} label={t(`when.${one}`)} />
              ))}
            </Stack>
          </Radio.Group>
          <TextInput
            aria-label={t(`when.${by}`)}
            description={t(`rule.hint.${by}`)}
            maxLength={TEXT_MAX}
            data-autofocus
            value={texts[by]}
            onChange={(event) => {
              const value = event.currentTarget.value;
              setTexts((before) => ({ ...before, [by]: value }));
            }}
          />
          {mailbox !== undefined && (
            <Checkbox
              label={t('rule.onlyFrom', { mailbox })}
              checked={onlyFrom}
              onChange={(event) => setOnlyFrom(event.currentTarget.checked)}
            />
          )}
          <div>
            <SegmentedControl
              fullWidth
              aria-label={t('rule.then')}
              value={then}
              onChange={(next) => setThen(THENS.find((one) => one === next) ?? 'never')}
              data={THENS.map((one) => ({ value: one, label: t(`then.${one}`) }))}
            />
          </div>
          {error !== undefined && <ProblemNote error={error} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              {t('shell:cancel')}
            </Button>
            <Button type="submit" loading={busy} disabled={text === ''}>
              {t('rule.save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
