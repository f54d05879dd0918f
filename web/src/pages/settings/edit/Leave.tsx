/** Whoever leaves in the middle of editing is asked first. */
import { Button, Group, Stack, Text } from '@mantine/core';
import { useBlocker } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { Dialog } from '../Dialog';

export function Leave({ isChanged }: { isChanged: boolean }) {
  const { t } = useTranslation('settings');
  const { status, proceed, reset } = useBlocker({
    // The same page at another address, a filter or an open row, takes nothing away.
    shouldBlockFn: ({ current, next }) => isChanged && current.pathname !== next.pathname,
    enableBeforeUnload: () => isChanged,
    disabled: !isChanged,
    withResolver: true,
  });
  if (status !== 'blocked') {
    return null;
  }
  return (
    <Dialog title={t('edit.leaveTitle')} close={reset}>
      <Stack gap="md">
        <Text size="sm">{t('edit.leaveText')}</Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={reset} data-autofocus>
            {t('edit.stay')}
          </Button>
          <Button color="red" onClick={proceed}>
            {t('edit.leave')}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
