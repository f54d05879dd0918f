import { Badge, Group, Text, UnstyledButton } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../shared/format';
import type { Payment } from './api';
import classes from './Payments.module.css';

const COLORS: Record<string, string> = {
  matched: 'teal',
  joint: 'teal',
  part: 'blue',
  over: 'yellow',
  unclear: 'orange',
  ignored: 'gray',
};

export function StateBadge({ state }: { state: string }) {
  const { t, i18n } = useTranslation('payments');
  const key = `state.${state}`;
  return (
    <Badge
      size="sm"
      radius="sm"
      variant="light"
      color={COLORS[state] ?? 'gray'}
      tt="none"
      fw={500}
      style={{ flex: 'none' }}
    >
      {i18n.exists(key, { ns: 'payments' }) ? t(key) : state}
    </Badge>
  );
}

type Props = { payment: Payment; active: boolean; showsState: boolean; open: () => void };

/** A payment in the list: who, how much, for what, and where it went. */
export function Row({ payment, active, showsState, open }: Props) {
  const { t } = useTranslation('payments');
  const format = useFormat();
  const numbers = payment.documents.map((one) => one.number || one.document).join(', ');
  return (
    <li>
      <UnstyledButton
        className={classes.row}
        data-active={active || undefined}
        data-question={payment.id}
        aria-current={active || undefined}
        onClick={open}
      >
        <Group justify="space-between" wrap="nowrap" gap="xs">
          <Text size="sm" fw={500} truncate>
            {payment.payer.name || t('noPayer')}
          </Text>
          <Text size="sm" fw={500} className="numbers" style={{ whiteSpace: 'nowrap' }}>
            {format.amount(payment.amount, payment.currency)}
          </Text>
        </Group>
        <Text size="xs" c="dimmed" lineClamp={1} className="breaks" title={payment.reference.slice(0, 500)}>
          {payment.reference || t('noReference')}
        </Text>
        <Group justify="space-between" wrap="nowrap" gap="xs" mt={2}>
          <Text size="xs" c="dimmed" truncate className="numbers">
            {numbers === '' ? format.brief(payment.at) : `${format.brief(payment.at)} → ${numbers}`}
          </Text>
          {showsState && <StateBadge state={payment.state} />}
        </Group>
      </UnstyledButton>
    </li>
  );
}
