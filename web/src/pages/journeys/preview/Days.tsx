import { Group, Paper, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../../shared/format';
import type { Report } from '../calls';

const HEIGHT = 84;
const WIDTH = 900;

type Props = { candidate: Report; current: Report | null };

/** Messages a day, as bars: the text's, and beside them those of the version in force. */
export function Days({ candidate, current }: Props) {
  const { t } = useTranslation('journeys');
  const format = useFormat();
  const days = [
    ...new Set([...candidate.messages_by_day, ...(current?.messages_by_day ?? [])].map((one) => one.day)),
  ].sort();
  if (days.length === 0) {
    return null;
  }
  const of = (report: Report | null) =>
    new Map((report?.messages_by_day ?? []).map((one) => [one.day, one.messages]));
  const mine = of(candidate);
  const theirs = of(current);
  const most = Math.max(1, ...mine.values(), ...theirs.values());
  const step = WIDTH / days.length;
  const bar = (count: number) => (count / most) * (HEIGHT - 4);
  const busiest = days.reduce(
    (best, day) => ((mine.get(day) ?? 0) > (mine.get(best) ?? 0) ? day : best),
    days[0] ?? '',
  );
  return (
    <Paper withBorder p="sm">
      <Group justify="space-between" mb={6}>
        <Text size="sm" fw={600}>
          {t('backtest.days')}
        </Text>
        <Text size="xs" c="dimmed">
          {t('backtest.most', { count: mine.get(busiest) ?? 0, day: format.day(busiest) })}
        </Text>
      </Group>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        width="100%"
        height={HEIGHT}
        preserveAspectRatio="none"
        role="img"
        aria-label={t('backtest.days')}
      >
        {days.map((day, at) => (
          <g key={day}>
            {current !== null && (
              <rect
                x={at * step + step * 0.1}
                width={step * 0.8}
                y={HEIGHT - bar(theirs.get(day) ?? 0)}
                height={bar(theirs.get(day) ?? 0)}
                fill="var(--relance-line)"
              />
            )}
            <rect
              x={at * step + step * 0.25}
              width={step * 0.5}
              y={HEIGHT - bar(mine.get(day) ?? 0)}
              height={bar(mine.get(day) ?? 0)}
              fill="var(--mantine-primary-color-filled)"
            />
          </g>
        ))}
      </svg>
      <Group justify="space-between">
        <Text size="xs" c="dimmed">
          {format.day(days[0])}
        </Text>
        <Text size="xs" c="dimmed">
          {format.day(days.at(-1))}
        </Text>
      </Group>
    </Paper>
  );
}
