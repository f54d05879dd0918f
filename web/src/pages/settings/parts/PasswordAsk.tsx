import { Button, Group, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { AccessNote } from '../../access/AccessNote';
import { PasswordField } from '../../access/PasswordField';
import { Dialog } from '../Dialog';

type Props = {
  title: string;
  text: string;
  action: string;
  danger?: boolean;
  run: (password: string) => Promise<unknown>;
  close: () => void;
};

/** Asks for the password once more: whoever finds an open browser cannot change how its owner signs in. */
export function PasswordAsk({ title, text, action, danger = false, run, close }: Props) {
  const { t } = useTranslation('settings');
  const [password, setPassword] = useState('');
  const asked = useMutation({ mutationFn: () => run(password), onSuccess: close });
  return (
    <Dialog title={title} close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          asked.mutate();
        }}
      >
        <Stack gap="md">
          <Text size="sm">{text}</Text>
          {asked.isError && <AccessNote error={asked.error} />}
          <PasswordField
            label={t('password.current')}
            kind="current-password"
            value={password}
            onChange={setPassword}
            autoFocus
          />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              {t('shell:cancel')}
            </Button>
            <Button type="submit" color={danger ? 'red' : undefined} loading={asked.isPending}>
              {action}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
