import { Badge } from '@mantine/core';
import { useTranslation } from 'react-i18next';

const COLORS: Record<string, string> = {
  live: 'green',
  paused: 'yellow',
  draft: 'blue',
  retired: 'gray',
  archived: 'gray',
};

export function StatusBadge({ status }: { status: string }) {
  const { t } = useTranslation('journeys');
  return (
    <Badge
      variant="light"
      color={COLORS[status] ?? 'gray'}
      tt="none"
      style={{ flex: 'none' }}
      styles={{ label: { color: 'var(--mantine-color-text)' } }}
    >
      {status in COLORS ? t(`status.${status}`) : status}
    </Badge>
  );
}
