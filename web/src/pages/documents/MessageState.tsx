import { Badge } from '@mantine/core';
import { useTranslation } from 'react-i18next';

const COLORS: Record<string, string> = {
  accepted: 'green',
  awaiting_approval: 'yellow',
  held: 'yellow',
  queued: 'blue',
  sending: 'blue',
  postponed: 'yellow',
  refused: 'red',
  template_failed: 'red',
  unknown: 'orange',
};

/** Where a message stands. */
export function MessageState({ message }: { message: { state: string } }) {
  const { t, i18n } = useTranslation('documents');
  const key = `message.${message.state}`;
  return (
    <Badge
      variant="light"
      color={COLORS[message.state] ?? 'gray'}
      size="sm"
      radius="sm"
      tt="none"
      fw={500}
      style={{ flex: 'none' }}
    >
      {i18n.exists(key, { ns: 'documents' }) ? t(key) : message.state}
    </Badge>
  );
}
