/** Puts right what was read of a document, or says that it is none. */
import { Button, Checkbox, Group, Modal, SegmentedControl, Stack, Text, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { tellUndoable } from '../../shared/tell';
import { decimalOf } from '../payments/amount';
import { offered, refusedField, removeRule } from '../recognition/api';
import { Refusal } from '../recognition/Refusal';
import { type Asked, firstWay, WhenFields, whenOf } from '../recognition/WhenFields';
import { type Corrected, correct, type DocumentRow, factsOf, stateOf } from './api';

const SORTS = ['invoice', 'offer', 'never'] as const;
type Sort = (typeof SORTS)[number];
const CHANGED = ['documents', 'approvals', 'overview', 'tasks', 'contacts'];
const NUMBER_MAX = 60;

export function CorrectButton({ document }: { document: DocumentRow }) {
  const { t } = useTranslation('documents');
  const [opened, setOpened] = useState(false);
  return (
    <>
      <Button variant="default" onClick={() => setOpened(true)}>
        {t('correct.open')}
      </Button>
      {opened && <CorrectDialog document={document} close={() => setOpened(false)} />}
    </>
  );
}

function CorrectDialog({ document, close }: { document: DocumentRow; close: () => void }) {
  const { t, i18n } = useTranslation('documents');
  const queries = useQueryClient();
  const facts = factsOf(document);
  const was: Sort = facts.kind === 'offer' ? 'offer' : 'invoice';
  const isWithdrawn = stateOf(document) === 'withdrawn';
  const before = {
    number: facts.number === document.id ? '' : facts.number,
    amount: facts.amount ?? '',
    currency: facts.currency ?? '',
    due: facts.due ?? '',
  };
  const [sort, setSort] = useState<Sort>(was);
  const [fields, setFields] = useState(before);
  const [remember, setRemember] = useState(false);
  const [asked, setAsked] = useState<Asked>(() => {
    const mail = { to: facts.to === undefined ? [] : [facts.to], subject: facts.subject ?? '' };
    const texts = offered(mail, facts.mailbox ?? '');
    return { by: firstWay(texts), texts };
  });
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const amount = fields.amount.trim() === '' ? '' : decimalOf(fields.amount);
  const isCurrency = /^[A-Za-z]{3}$/.test(fields.currency) || fields.currency === '';
  const when = remember ? whenOf(asked) : undefined;
  const isReady =
    (sort === 'never' || (amount !== undefined && isCurrency)) && (!remember || when !== undefined);
  const refused = refusedField(error);
  /** What the server says of a field, in words. */
  const wrong = (name: string) => {
    const key = `correct.wrong.${refused?.code}`;
    return refused?.field === `fields.${name}` && i18n.exists(key, { ns: 'documents' }) ? t(key) : undefined;
  };
  const set = (patch: Partial<typeof fields>) => setFields((all) => ({ ...all, ...patch }));

  const send = async (body: Corrected) => {
    try {
      return await correct(document, body);
    } finally {
      for (const topic of CHANGED) {
        queries.invalidateQueries({ queryKey: [topic] });
      }
    }
  };
  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (!isReady) {
      return;
    }
    const now = { ...fields, amount: amount ?? '', currency: fields.currency.toUpperCase() };
    const names = (['number', 'amount', 'currency', 'due'] as const).filter(
      (name) => now[name] !== before[name],
    );
    const of = (all: typeof before) => Object.fromEntries(names.map((name) => [name, all[name]]));
    const isNever = sort === 'never';
    setBusy(true);
    setError(undefined);
    try {
      const rule = when === undefined ? {} : { remember: when };
      const done = await send({ kind: sort, ...(isNever ? {} : { fields: of(now) }), ...rule });
      close();
      const back: Corrected = isWithdrawn
        ? { kind: 'never', fields: of(before) }
        : { kind: was, ...(isNever ? {} : { fields: of(before) }) };
      const made = done.remembered;
      const told = isNever ? 'correct.withdrawn' : 'correct.done';
      tellUndoable(t(made == null ? told : `${told}Rule`), async () => {
        if (made != null) {
          await removeRule(made.id);
        }
        await send(back);
      });
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={close} title={t('correct.title')} closeButtonProps={{ 'aria-label': t('close') }}>
      <form onSubmit={save}>
        <Stack gap="sm">
          <SegmentedControl
            fullWidth
            aria-label={t('column.kind')}
            value={sort}
            onChange={(next) => setSort(SORTS.find((one) => one === next) ?? was)}
            data={SORTS.filter((one) => !(isWithdrawn && one === 'never')).map((one) => ({
              value: one,
              label: t(`correct.sort.${one}`),
            }))}
          />
          {sort === 'never' ? (
            <Text size="sm" c="dimmed">
              {t('correct.neverText')}
            </Text>
          ) : (
            <>
              <TextInput
                label={t('column.number')}
                maxLength={NUMBER_MAX}
                value={fields.number}
                error={wrong('number')}
                onChange={(event) => set({ number: event.currentTarget.value })}
              />
              <Group gap="sm" align="flex-start" wrap="nowrap">
                <TextInput
                  style={{ flex: 1 }}
                  label={t('column.amount')}
                  inputMode="decimal"
                  value={fields.amount}
                  error={amount === undefined ? t('correct.badAmount') : wrong('amount')}
                  onChange={(event) => set({ amount: event.currentTarget.value })}
                />
                <TextInput
                  w={110}
                  label={t('filter.currency')}
                  maxLength={3}
                  value={fields.currency}
                  error={isCurrency ? wrong('currency') : true}
                  onChange={(event) => set({ currency: event.currentTarget.value })}
                />
              </Group>
              <TextInput
                type="date"
                label={t(sort === 'offer' ? 'validUntil' : 'column.due')}
                value={fields.due}
                error={wrong('due')}
                onChange={(event) => set({ due: event.currentTarget.value })}
              />
            </>
          )}
          {facts.mailbox !== undefined && (
            <Checkbox
              label={t(`correct.remember.${sort}`)}
              checked={remember}
              onChange={(event) => setRemember(event.currentTarget.checked)}
            />
          )}
          {remember && <WhenFields asked={asked} change={setAsked} error={error} />}
          {error !== undefined && refused === undefined && <Refusal error={error} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              {t('cancel')}
            </Button>
            <Button type="submit" loading={busy} disabled={!isReady}>
              {t('correct.save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
