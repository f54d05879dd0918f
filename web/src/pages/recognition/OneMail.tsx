/** One mail, given as a file, is told what it would be, with all that was read of it. Nothing is kept of the file. */
import { Button, FileButton, Group, Stack, Text } from '@mantine/core';
import { IconMailSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type DragEvent, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../../api/problem';
import { useFormat } from '../../shared/format';
import { mailboxesQuery } from '../mailboxes/calls';
import { lookAt, type Mail } from './api';
import { MailRow } from './MailRow';
import classes from './Recognition.module.css';
import { Refusal } from './Refusal';
import { useSaying } from './useSaying';

/** As much as the server takes. */
const BYTES_MAX = 25 * 1024 * 1024;
const ACCEPT = '.eml,message/rfc822';

type Looked = { name: string; mail?: Mail; error?: unknown };

export function OneMail({ mailbox: wanted }: { mailbox: string | undefined }) {
  const { t } = useTranslation('recognition');
  const mailboxes = useQuery(mailboxesQuery);
  const [looked, setLooked] = useState<Looked>();
  const [busy, setBusy] = useState(false);
  const [isOver, setOver] = useState(false);
  const turn = useRef(0);
  const reset = useRef<() => void>(null);
  const all = mailboxes.data?.items.map((one) => one.address) ?? [];
  const mailbox = all.find((one) => one === wanted) ?? (all.length === 1 ? all[0] : undefined);
  const saying = useSaying(mailbox ?? '', (mail) => setLooked((now) => now && { ...now, mail }));
  const take = async (file: File | null | undefined) => {
    if (file == null) {
      return;
    }
    turn.current += 1;
    const own = turn.current;
    const { name } = file;
    const tell = (more: Omit<Looked, 'name'>) => own === turn.current && setLooked({ name, ...more });
    setBusy(true);
    try {
      if (file.size > BYTES_MAX) {
        throw new Failure(413, { code: 'mail_too_large' });
      }
      tell({ mail: await lookAt(file, mailbox) });
    } catch (error) {
      tell({ error });
    } finally {
      if (own === turn.current) {
        setBusy(false);
      }
      // The same file may be chosen again, once it is mended.
      reset.current?.();
    }
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files[0]);
  };
  return (
    <Stack gap="md">
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the button inside does the same by keyboard */}
      <div
        className={classes.drop}
        data-over={isOver || undefined}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <Group gap="md" justify="center">
          <FileButton accept={ACCEPT} onChange={take} resetRef={reset}>
            {(props) => (
              <Button
                {...props}
                variant="default"
                loading={busy}
                leftSection={<IconMailSearch size={16} aria-hidden />}
              >
                {t('one.choose')}
              </Button>
            )}
          </FileButton>
          <Text size="sm" c="dimmed" maw={460}>
            {t('one.hint')}
          </Text>
        </Group>
      </div>
      {looked?.error !== undefined && <Refusal error={looked.error} />}
      {looked?.mail !== undefined && (
        <Stack gap="xs" role="status">
          <Text size="sm" c="dimmed" lineClamp={1} className="breaks">
            {looked.name}
          </Text>
          <ul className={classes.list} aria-label={t('one.result')}>
            <MailRow
              key={`${turn.current}`}
              mail={looked.mail}
              opened
              {...(mailbox === undefined
                ? {}
                : { say: saying.say(looked.mail), rule: saying.rule(looked.mail) })}
            />
          </ul>
          {looked.mail.found !== null && <Facts found={looked.mail.found} />}
        </Stack>
      )}
      {saying.dialog}
    </Stack>
  );
}

/** All that was read of a document. */
function Facts({ found }: { found: NonNullable<Mail['found']> }) {
  const { t } = useTranslation('recognition');
  const format = useFormat();
  const facts: [string, string | null][] = [
    ['number', found.number],
    ['issued', found.issued && format.day(found.issued)],
    [found.kind === 'offer' ? 'valid' : 'due', found.due && format.day(found.due)],
    ['amount', found.amount && format.amount(found.amount, found.currency)],
    ['vat', found.vat && format.amount(found.vat, found.currency)],
    ['rates', found.vat_rates.length === 0 ? null : found.vat_rates.map((rate) => `${rate} %`).join(', ')],
    ['net', found.net && format.amount(found.net, found.currency)],
    ['payer', found.payer],
    ['payerTax', found.payer_tax_id],
    ['sellerTax', found.seller_tax_id],
    ['reference', found.bank_reference],
  ];
  const read = facts.filter(([, text]) => text !== null && text !== '');
  return (
    <dl className={classes.facts}>
      {read.map(([name, text]) => (
        <div key={name}>
          <dt>{t(`fact.${name}`)}</dt>
          <dd className="numbers">{text}</dd>
        </div>
      ))}
    </dl>
  );
}
