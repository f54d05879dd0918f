/** Puts a payment to several documents, or to one that was not found by itself. */
import { ActionIcon, Button, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconX } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../shared/format';
import { factsOf, loadDocuments } from '../documents/api';
import { decimalOf, left, smaller } from './amount';
import type { Candidate, Payment, Said } from './api';
import classes from './Payments.module.css';

type Part = Pick<Candidate, 'contact' | 'document' | 'number' | 'client'> & {
  open?: string | null;
  text: string;
};

type Props = { payment: Payment; close: () => void; put: (documents: Said[], number: string) => void };

const keyOf = (one: { contact: string; document: string }) => `${one.contact}\n${one.document}`;
const SEARCH_MS = 250;

/** What the payment cannot pay: it is not offered by itself. */
const CANNOT = ['paid_already', 'other_currency'];

/** The candidates that it can pay, as far as the money goes. */
function begun(payment: Payment): Part[] {
  let rest = payment.amount;
  const parts: Part[] = [];
  for (const one of payment.candidates) {
    if (one.open == null || rest === '0' || one.reasons.some((reason) => CANNOT.includes(reason))) {
      continue;
    }
    const text = smaller(one.open, rest);
    rest = left(rest, [text]);
    parts.push({ ...one, text });
  }
  return parts;
}

export function Split({ payment, close, put }: Props) {
  const { t } = useTranslation('payments');
  const format = useFormat();
  const [parts, setParts] = useState<Part[]>(() => begun(payment));
  const amounts = parts.map((one) => decimalOf(one.text));
  const rest = left(
    payment.amount,
    amounts.filter((one) => one !== undefined),
  );
  const isWrong = (at: number) => amounts[at] === undefined || Number(amounts[at]) === 0;
  const isReady = parts.length > 0 && parts.every((_, at) => !isWrong(at)) && !rest.startsWith('-');
  const set = (at: number, text: string) =>
    setParts(parts.map((one, index) => (index === at ? { ...one, text } : one)));
  return (
    <Modal
      opened
      onClose={close}
      title={t('splitTitle')}
      size="lg"
      closeButtonProps={{ 'aria-label': t('shell:close') }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady) {
            const said = parts.map(({ contact, document }, at) => ({
              contact,
              document,
              amount: amounts[at] ?? null,
            }));
            put(said, parts[0]?.number ?? '');
            close();
          }
        }}
      >
        <Stack gap="sm">
          {parts.map((one, at) => (
            <div key={keyOf(one)} className={classes.part}>
              <div style={{ minWidth: 0 }}>
                <Text size="sm" fw={500} truncate>
                  {one.number || one.document}
                </Text>
                <Text size="xs" c="dimmed" truncate>
                  {[
                    one.client,
                    one.open == null
                      ? undefined
                      : t('open', { amount: format.amount(one.open, payment.currency) }),
                  ]
                    .filter((text) => text != null)
                    .join(' · ')}
                </Text>
              </div>
              <TextInput
                size="sm"
                inputMode="decimal"
                aria-label={t('amountOf', { number: one.number || one.document })}
                value={one.text}
                error={isWrong(at)}
                onChange={(event) => set(at, event.currentTarget.value)}
              />
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={t('leaveOut', { number: one.number || one.document })}
                onClick={() => setParts(parts.filter((_, index) => index !== at))}
              >
                <IconX size={16} aria-hidden />
              </ActionIcon>
            </div>
          ))}
          <AddDocument
            currency={payment.currency}
            taken={new Set(parts.map(keyOf))}
            add={(part) => {
              const text = part.open == null ? rest : smaller(part.open, rest);
              setParts([...parts, { ...part, text: text.startsWith('-') ? '0' : text }]);
            }}
          />
          <Text size="sm" role="status" c={rest.startsWith('-') ? 'red' : 'dimmed'} className="numbers">
            {rest.startsWith('-')
              ? t('tooMuch', { amount: format.amount(rest.slice(1), payment.currency) })
              : t('left', { amount: format.amount(rest, payment.currency) })}
          </Text>
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              {t('shell:cancel')}
            </Button>
            <Button type="submit" disabled={!isReady}>
              {t('put')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** What is still open of a document, where a part was paid. */
function openOf(fields: Record<string, unknown>): string | undefined {
  const open = fields.open_amount;
  return typeof open === 'string' || typeof open === 'number' ? String(open) : undefined;
}

/** Any invoice of the payment's currency, by number or client. */
function AddDocument({
  currency,
  taken,
  add,
}: {
  currency: string;
  taken: ReadonlySet<string>;
  add: (part: Omit<Part, 'text'>) => void;
}) {
  const { t } = useTranslation('payments');
  const format = useFormat();
  const [text, setText] = useState('');
  const [search] = useDebouncedValue(text.trim(), SEARCH_MS);
  const found = useQuery({
    queryKey: ['documents', 'payments', 'pick', search, currency],
    queryFn: ({ signal }) =>
      loadDocuments(
        {
          kind: 'invoice',
          limit: 20,
          ...(search === '' ? { state: 'open' } : { search }),
          ...(currency === '' ? {} : { currency }),
        },
        undefined,
        signal,
      ),
    placeholderData: keepPreviousData,
  });
  const offered = (found.data?.items ?? [])
    .map((row) => ({ row, facts: factsOf(row), key: keyOf({ contact: row.contact, document: row.id }) }))
    .filter((one) => !taken.has(one.key));
  return (
    <Select
      searchable
      label={t('add')}
      placeholder={t('addHint')}
      nothingFoundMessage={found.isFetching ? t('searching') : t('noneFound')}
      value={null}
      searchValue={text}
      onSearchChange={setText}
      filter={({ options }) => options}
      data={offered.map(({ key, facts }) => ({
        value: key,
        label: [facts.number, facts.client, format.amount(facts.amount, facts.currency)]
          .filter(Boolean)
          .join(' · ')
          .slice(0, 160),
      }))}
      onChange={(key) => {
        const one = offered.find((offer) => offer.key === key);
        if (one !== undefined) {
          const { row, facts } = one;
          add({
            contact: row.contact,
            document: row.id,
            number: facts.number,
            client: facts.client ?? null,
            open: decimalOf(openOf(row.fields) ?? facts.amount ?? '') ?? null,
          });
          setText('');
        }
      }}
    />
  );
}
