/** A rule of the user's own: by what it goes, and what such a mail is. */
import { Button, Checkbox, Group, Modal, SegmentedControl, Stack, Text } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Mail, NO_TEXTS, offered, THENS, type Then, type When } from './api';
import { Refusal } from './Refusal';
import { type Asked, firstWay, WhenFields, whenOf } from './WhenFields';

type Props = {
  /** The mail that it is made of; a new one begins empty. */
  mail?: Mail;
  mailbox?: string;
  then: Then;
  /** Makes it. */
  save: (when: When, then: Then) => Promise<void>;
  close: () => void;
};

export function RuleDialog({ mail, mailbox, then: begun, save: make, close }: Props) {
  const { t } = useTranslation('recognition');
  const [asked, setAsked] = useState<Asked>(() => {
    const texts = mail === undefined ? NO_TEXTS : offered(mail, mailbox ?? '');
    return { by: firstWay(texts), texts };
  });
  const [then, setThen] = useState<Then>(begun);
  const [onlyFrom, setOnlyFrom] = useState(false);
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const when = whenOf(asked);
  const isInRegistry = mail?.registered?.withdrawn === false;
  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (when === undefined) {
      return;
    }
    setBusy(true);
    setError(undefined);
    try {
      await make({ ...when, ...(onlyFrom && asked.by !== 'from' ? { from: mailbox } : {}) }, then);
      close();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  const about = mail === undefined ? undefined : then === 'never' ? (isInRegistry ? 'out' : 'on') : 'also';
  return (
    <Modal
      opened
      onClose={close}
      title={t(mail === undefined ? 'rule.new' : 'rule.title')}
      closeButtonProps={{ 'aria-label': t('shell:close') }}
    >
      <form onSubmit={save}>
        <Stack gap="md">
          <WhenFields asked={asked} change={setAsked} error={error} />
          {mailbox !== undefined && asked.by !== 'from' && (
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
            {about !== undefined && (
              <Text size="xs" c="dimmed" mt={6}>
                {t(`rule.about.${about}`)}
              </Text>
            )}
          </div>
          {error !== undefined && <Refusal error={error} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              {t('shell:cancel')}
            </Button>
            <Button type="submit" loading={busy} disabled={when === undefined}>
              {t('rule.save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
