import { Badge, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../shared/format';
import { daysBetween, useNow, useToday } from '../../shared/useNow';
import { type DocumentRow, factsOf, isOpen, type Next, stateOf } from './api';

const COLORS: Record<string, string> = {
  open: 'blue',
  answered: 'grape',
  paid: 'green',
  won: 'green',
  lost: 'gray',
};

export function StateBadge({ row }: { row: DocumentRow }) {
  const { t, i18n } = useTranslation('documents');
  const state = stateOf(row);
  const key = `state.${state}`;
  return (
    <Badge variant="light" color={COLORS[state] ?? 'gray'} radius="sm" size="sm" tt="none" fw={500}>
      {i18n.exists(key, { ns: 'documents' }) ? t(key) : state}
    </Badge>
  );
}

/** By when; of what is open and late, by how many days. */
export function Due({ row }: { row: DocumentRow }) {
  const { t } = useTranslation('documents');
  const format = useFormat();
  const { due, kind } = factsOf(row);
  const days = daysBetween(due, useToday());
  if (due === undefined) {
    return null;
  }
  const late = isOpen(row) && days !== undefined && days > 0;
  const isOffer = kind === 'offer';
  return (
    <Text
      span
      size="sm"
      c={late ? (isOffer ? 'var(--relance-look)' : 'var(--relance-late)') : undefined}
      fw={late ? 500 : 400}
    >
      {format.brief(due)}
      {late && (
        <Text span size="xs" c="inherit" display="block">
          {t(isOffer ? 'ended' : 'late', { count: days })}
        </Text>
      )}
    </Text>
  );
}

/** What happens next with a document, in a few words. */
export function NextWords({ next }: { next: Next | null | undefined }) {
  const { t, i18n } = useTranslation('documents');
  const format = useFormat();
  const now = useNow();
  if (next === undefined || next === null) {
    return (
      <Text span size="sm" c="dimmed">
        {t('next.none')}
      </Text>
    );
  }
  const key = `next.${next.what}`;
  return (
    <Text span size="sm" c={next.what === 'approval' ? 'var(--relance-look)' : undefined}>
      {i18n.exists(key, { ns: 'documents' }) ? t(key) : next.what}
      {next.at !== undefined && next.at !== null && (
        <Text span size="sm" c="dimmed">
          {' '}
          {format.relative(next.at, now)}
        </Text>
      )}
    </Text>
  );
}
