import { Button, Group, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import i18next from 'i18next';

const NOTE_MS = 8_000;

/** Says that a version is out, with the way to it. */
export function tellPublished(message: string, label: string, look: () => void): void {
  const note = notifications.show({
    color: 'green',
    closeButtonProps: { 'aria-label': i18next.t('close', { ns: 'shell' }) },
    autoClose: NOTE_MS,
    message: (
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm">{message}</Text>
        <Button
          size="compact-sm"
          variant="subtle"
          onClick={() => {
            notifications.hide(note);
            look();
          }}
        >
          {label}
        </Button>
      </Group>
    ),
  });
}
