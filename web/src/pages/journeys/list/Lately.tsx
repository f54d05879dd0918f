import { Group, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../../shared/format';
import { useNow } from '../../../shared/useNow';
import { type JourneySummary, numbers } from '../calls';

const DAYS = 7;
const DAY_MS = 86_400_000;
const FRESH_MS = 60_000;

/** What a journey did in the last days; asked for by the rows that are seen. */
export function Lately({ journey }: { journey: JourneySummary }) {
  const { t } = useTranslation('journeys');
  const format = useFormat();
  const now = useNow();
  // By the day: every row of a day asks the same.
  const day = new Date(now - DAYS * DAY_MS).toISOString().slice(0, 10);
  const isOut = journey.newest !== null;
  const query = useQuery({
    queryKey: ['journeys', journey.id, 'numbers', day],
    queryFn: () => numbers(journey.id, `${day}T00:00:00Z`),
    enabled: isOut,
    staleTime: FRESH_MS,
    retry: false,
  });
  if (query.data === undefined) {
    return null;
  }
  const { entered, converted, steps } = query.data;
  const sent = steps.reduce((sum, one) => sum + (one.what.sent ?? 0), 0);
  const parts = [
    entered > 0 ? t('list.entered', { count: entered, number: format.number(entered) }) : '',
    sent > 0 ? t('list.sent', { count: sent, number: format.number(sent) }) : '',
    converted > 0 ? t('list.converted', { count: converted, number: format.number(converted) }) : '',
  ].filter((one) => one !== '');
  return (
    <Group gap={4}>
      <Text size="xs" c={parts.length === 0 ? 'dimmed' : undefined}>
        {parts.length === 0 ? t('list.quiet') : parts.join(' · ')}
      </Text>
    </Group>
  );
}
