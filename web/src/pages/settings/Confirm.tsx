import { Button, Group, Stack, Text } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { AccessNote } from '../access/AccessNote';
import { Dialog } from './Dialog';

type Props = {
  title: string;
  /** What happens, by name. */
  text: ReactNode;
  /** The verb. */
  action: string;
  run: () => Promise<unknown>;
  close: () => void;
};

/** Asks before something that cannot be taken back. */
export function Confirm({ title, text, action, run, close }: Props) {
  const { t } = useTranslation('shell');
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const go = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await run();
      close();
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} close={close}>
      <Stack gap="md">
        <Text size="sm" className="breaks" component="div">
          {text}
        </Text>
        {error !== undefined && <AccessNote error={error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close} data-autofocus>
            {t('cancel')}
          </Button>
          <Button color="red" loading={busy} onClick={go}>
            {action}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
