import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

type Props = {
  opened: boolean;
  onClose: () => void;
  title: string;
  /** What happens, and to how many. */
  text: string;
  confirm: string;
  isBusy: boolean;
  onConfirm: () => void;
};

/** Asks before something that cannot be undone. */
export function ConfirmDialog({ opened, onClose, title, text, confirm, isBusy, onConfirm }: Props) {
  const { t } = useTranslation('shell');
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={
        <Text fw={600} className="breaks">
          {title}
        </Text>
      }
    >
      <Stack gap="md">
        <Text size="sm" className="breaks">
          {text}
        </Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose} data-autofocus>
            {t('cancel')}
          </Button>
          <Button color="red" onClick={onConfirm} loading={isBusy}>
            {confirm}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
