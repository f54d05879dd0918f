/** One payment: what the bank says, what it paid, and what it may be for. */
import { Anchor, Badge, Button, Group, Stack, Text, Title } from '@mantine/core';
import { IconArrowLeft } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../shared/format';
import { type Candidate, isAgainst, isDoubtful, isUndoable, type Payment, waits } from './api';
import classes from './Payments.module.css';
import { StateBadge } from './Row';

/** Keys put to so many candidates. */
const KEYED_MAX = 5;
const STATEMENT_CHARS = 10;

type Props = {
  payment: Payment;
  mayWork: boolean;
  put: (at: number) => void;
  split: () => void;
  ignore: () => void;
  undo: () => void;
  back: (() => void) | undefined;
};

export function Detail({ payment, mayWork, put, split, ignore, undo, back }: Props) {
  const { t, i18n } = useTranslation('payments');
  const format = useFormat();
  const note = `note.${payment.note}`;
  const isWaiting = waits(payment);
  return (
    <section className={classes.detail} aria-label={t('one')}>
      <Stack gap="md">
        {back !== undefined && (
          <Button
            size="compact-sm"
            variant="subtle"
            leftSection={<IconArrowLeft size={14} aria-hidden />}
            onClick={back}
            style={{ alignSelf: 'flex-start' }}
          >
            {t('back')}
          </Button>
        )}
        <Group justify="space-between" align="flex-start" wrap="nowrap">
          <Title order={2} className="breaks" lineClamp={3}>
            {payment.payer.name || t('noPayer')}
          </Title>
          <Text fw={600} fz="lg" className="numbers" style={{ whiteSpace: 'nowrap' }}>
            {format.amount(payment.amount, payment.currency)}
          </Text>
        </Group>
        <Group gap="xs">
          <StateBadge state={payment.state} />
          {payment.note !== undefined && i18n.exists(note, { ns: 'payments' }) && (
            <Text size="sm" c="dimmed">
              {t(note)}
            </Text>
          )}
        </Group>
        <Facts payment={payment} />
        {payment.documents.length > 0 && <Paid payment={payment} />}
        {isWaiting && (
          <div>
            <Title order={3} fz="sm" mb={6}>
              {payment.candidates.length === 0 ? t('noCandidates') : t('candidates')}
            </Title>
            {payment.candidates.length === 0 && (
              <Text size="sm" c="dimmed">
                {t('noCandidatesText')}
              </Text>
            )}
            <ul className={classes.candidates}>
              {payment.candidates.map((one, at) => (
                <CandidateRow
                  key={`${one.contact} ${one.document}`}
                  candidate={one}
                  currency={payment.currency}
                  at={at}
                  put={mayWork ? () => put(at) : undefined}
                />
              ))}
            </ul>
          </div>
        )}
        {mayWork && (
          <Group gap="xs">
            {isWaiting && (
              <Button size="sm" variant="default" onClick={split}>
                {t(payment.candidates.length === 0 ? 'choose' : 'split')}
                <kbd className={classes.key}>S</kbd>
              </Button>
            )}
            {payment.state === 'unclear' && (
              <Button size="sm" variant="default" onClick={ignore}>
                {t('ignore')}
                <kbd className={classes.key}>I</kbd>
              </Button>
            )}
            {isUndoable(payment) && (
              <Button size="sm" variant="default" onClick={undo}>
                {t(payment.state === 'ignored' ? 'restore' : 'takeBack')}
                <kbd className={classes.key}>U</kbd>
              </Button>
            )}
          </Group>
        )}
      </Stack>
    </section>
  );
}

function Facts({ payment }: { payment: Payment }) {
  const { t } = useTranslation('payments');
  const format = useFormat();
  const { payer } = payment;
  return (
    <dl className={classes.facts}>
      <dt>{t('fact.at')}</dt>
      <dd>{format.day(payment.at)}</dd>
      <dt>{t('fact.reference')}</dt>
      <dd>{payment.reference || t('noReference')}</dd>
      {payer.account && (
        <>
          <dt>{t('fact.payerAccount')}</dt>
          <dd className="numbers">{payer.account}</dd>
        </>
      )}
      {payer.tax_id && (
        <>
          <dt>{t('fact.taxId')}</dt>
          <dd className="numbers">{payer.tax_id}</dd>
        </>
      )}
      {payment.account && (
        <>
          <dt>{t('fact.account')}</dt>
          <dd className="numbers">{payment.account}</dd>
        </>
      )}
      {payment.rest != null && (
        <>
          <dt>{t('fact.rest')}</dt>
          <dd className="numbers">{format.amount(payment.rest, payment.currency)}</dd>
        </>
      )}
      <dt>{t('fact.statement')}</dt>
      <dd className="numbers" title={payment.statement}>
        {payment.statement.slice(0, STATEMENT_CHARS)}
      </dd>
    </dl>
  );
}

/** The documents that it was put to. */
function Paid({ payment }: { payment: Payment }) {
  const { t } = useTranslation('payments');
  const format = useFormat();
  return (
    <div>
      <Title order={3} fz="sm" mb={6}>
        {t('paid')}
      </Title>
      <ul className={classes.candidates}>
        {payment.documents.map((one) => (
          <li key={`${one.contact} ${one.document}`} className={classes.candidate}>
            <Named {...one} />
            <Text size="sm" className="numbers">
              {format.amount(one.amount, payment.currency)}
            </Text>
          </li>
        ))}
      </ul>
    </div>
  );
}

type NamedProps = Pick<Candidate, 'contact' | 'document' | 'number' | 'client'>;

function Named({ contact, document, number, client }: NamedProps) {
  return (
    <div style={{ minWidth: 0 }}>
      <Anchor
        size="sm"
        fw={500}
        lineClamp={1}
        className="breaks"
        renderRoot={(props) => (
          <Link {...props} to="/documents/$contact/$document" params={{ contact, document }} />
        )}
      >
        {number || document}
      </Anchor>
      {client != null && (
        <Text size="xs" c="dimmed" lineClamp={1} className="breaks">
          {client}
        </Text>
      )}
    </div>
  );
}

type CandidateProps = {
  candidate: Candidate;
  currency: string;
  at: number;
  put: (() => void) | undefined;
};

function CandidateRow({ candidate, currency, at, put }: CandidateProps) {
  const { t, i18n } = useTranslation('payments');
  const format = useFormat();
  const isDoubt = isDoubtful(candidate);
  const isBest = at === 0 && !isDoubt;
  return (
    <li className={classes.candidate}>
      <div style={{ minWidth: 0 }}>
        <Group gap="xs" wrap="nowrap" align="flex-start" justify="space-between">
          <Named {...candidate} />
          {candidate.open != null && (
            <Text size="sm" className="numbers" style={{ whiteSpace: 'nowrap' }}>
              {t('open', { amount: format.amount(candidate.open, currency) })}
            </Text>
          )}
        </Group>
        <Group gap={4} mt={4}>
          {candidate.reasons.map((one) => (
            <Badge
              key={one}
              size="sm"
              radius="sm"
              variant="light"
              color={
                isAgainst(one) ? 'red' : one === 'rival' || one.startsWith('amount_') ? 'yellow' : 'gray'
              }
              tt="none"
              fw={500}
            >
              {i18n.exists(`reason.${one}`, { ns: 'payments' }) ? t(`reason.${one}`) : one}
            </Badge>
          ))}
        </Group>
      </div>
      {put !== undefined && (
        <Button
          size="xs"
          variant={isBest ? 'filled' : 'default'}
          onClick={put}
          aria-label={t('putTo', { number: candidate.number || candidate.document })}
        >
          {t('put')}
          {at < KEYED_MAX && <kbd className={classes.key} data-key={isBest ? '↵' : at + 1} aria-hidden />}
        </Button>
      )}
    </li>
  );
}
