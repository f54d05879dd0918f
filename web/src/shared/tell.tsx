/** Short notes at the edge of the page: done, undone, failed. */
import { Button, Group, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import i18next from 'i18next';
import { ProblemLines, problemWords } from './ProblemNote';

const NOTE_MS = 5_000;
/** How long something can be undone from its note. */
export const UNDO_MS = 10_000;

/** The cross of a note, for whoever does not see it. */
const closing = () => ({ closeButtonProps: { 'aria-label': i18next.t('close', { ns: 'shell' }) } });

export function tellDone(message: string): void {
  notifications.show({ message, color: 'green', autoClose: NOTE_MS, ...closing() });
}

export function tellFailure(error: unknown): void {
  const { title, ...lines } = problemWords(error);
  notifications.show({
    title,
    message: <ProblemLines {...lines} />,
    color: 'red',
    autoClose: UNDO_MS,
    ...closing(),
  });
}

/** Says what the person should know, though nothing failed. */
export function tellLook(message: string): void {
  notifications.show({ message, color: 'yellow', autoClose: UNDO_MS, ...closing() });
}

/** Says that something was done, and lets the person take it back. */
export function tellUndoable(message: string, undo: () => Promise<unknown>): void {
  const id = notifications.show({
    autoClose: UNDO_MS,
    color: 'green',
    ...closing(),
    message: (
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm" className="breaks">
          {message}
        </Text>
        <Button
          size="compact-sm"
          variant="subtle"
          style={{ flex: 'none' }}
          onClick={() => {
            notifications.hide(id);
            undo().catch(tellFailure);
          }}
        >
          {i18next.t('undo', { ns: 'shell' })}
        </Button>
      </Group>
    ),
  });
}
