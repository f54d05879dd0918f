/** What every page with a text to save has: how it stands, what changed, and what to do when somebody else saved. */
import { Alert, Badge, Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useBlocker } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../format';
import { type Change, Changes } from './Changes';

/** Whether what is shown is saved. */
export function SaveState({ isChanged, isNew = false }: { isChanged: boolean; isNew?: boolean }) {
  const { t } = useTranslation('editing');
  return (
    <Badge
      variant={isChanged || isNew ? 'light' : 'outline'}
      color={isChanged || isNew ? 'yellow' : 'gray'}
      tt="none"
      role="status"
      autoContrast
      styles={{ label: { color: 'var(--mantine-color-text)' } }}
    >
      {t(isNew ? 'state.new' : isChanged ? 'state.changed' : 'state.saved')}
    </Badge>
  );
}

/** Asks before the page is closed with unsaved text. Going elsewhere in the interface loses nothing and asks nothing. */
export function useKeepWhenClosed(isChanged: boolean): void {
  useBlocker({ shouldBlockFn: () => false, enableBeforeUnload: () => isChanged, disabled: !isChanged });
}

type RestoredProps = { at: string | undefined; onDiscard: () => void };

/** Says that the text comes from an earlier visit. */
export function Restored({ at, onDiscard }: RestoredProps) {
  const { t } = useTranslation('editing');
  const format = useFormat();
  if (at === undefined) {
    return null;
  }
  return (
    <Alert color="blue" variant="light" p="xs" role="status">
      <Group justify="space-between" gap="xs">
        <Text size="sm">{t('restored', { when: format.relative(at) })}</Text>
        <Button size="compact-sm" variant="subtle" onClick={onDiscard}>
          {t('discard')}
        </Button>
      </Group>
    </Alert>
  );
}

type StaleProps = { isStale: boolean; onCompare: () => void };

/** Says that somebody else saved while this text was being written. */
export function Stale({ isStale, onCompare }: StaleProps) {
  const { t } = useTranslation('editing');
  return isStale ? (
    <Alert color="yellow" variant="light" p="xs" role="alert">
      <Group justify="space-between" gap="xs">
        <Text size="sm">{t('stale')}</Text>
        <Button size="compact-sm" variant="light" color="yellow" onClick={onCompare} autoContrast>
          {t('compare')}
        </Button>
      </Group>
    </Alert>
  ) : null;
}

type SaveProps = {
  opened: boolean;
  onClose: () => void;
  changes: readonly Change[];
  onSave: () => void;
  isSaving: boolean;
  /** What else there is to know before it is saved. */
  children?: ReactNode;
  /** Saving waits for something in `children`. */
  disabled?: boolean;
};

/** Shows what changed, then saves. */
export function SaveDialog({ opened, onClose, changes, onSave, isSaving, children, disabled }: SaveProps) {
  const { t } = useTranslation('editing');
  return (
    <Modal opened={opened} onClose={onClose} size="xl" title={t('saveTitle')}>
      <Stack gap="md">
        {children}
        <Changes changes={changes} />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            {t('shell:cancel')}
          </Button>
          <Button onClick={onSave} loading={isSaving} disabled={disabled} data-autofocus>
            {t('shell:save')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

type ConflictProps = {
  opened: boolean;
  onClose: () => void;
  /** From their text to mine. */
  changes: readonly Change[];
  /** Who saved, where that is known. */
  by?: string | undefined;
  onMine: () => void;
  onTheirs: () => void;
};

/** Two people wrote: nothing is overwritten until this one has seen the other's text and chosen. */
export function ConflictDialog({ opened, onClose, changes, by, onMine, onTheirs }: ConflictProps) {
  const { t } = useTranslation('editing');
  return (
    <Modal opened={opened} onClose={onClose} size="xl" title={t('conflictTitle')}>
      <Stack gap="md">
        <Text size="sm">{by === undefined ? t('conflict') : t('conflictBy', { by })}</Text>
        <Changes changes={changes} />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose} data-autofocus>
            {t('goOn')}
          </Button>
          <Button variant="light" onClick={onTheirs}>
            {t('takeTheirs')}
          </Button>
          <Button color="red" onClick={onMine}>
            {t('keepMine')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
