import { Alert, Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ProblemNote } from '../../shared/ProblemNote';
import { useSession } from '../../shell/useSession';
import { templates } from './api';

type Props = {
  id: string;
  contact: { id: string; name: string } | undefined;
  isChanged: boolean;
  opened: boolean;
  onClose: () => void;
};

/** Sends the saved template to an address of one's own, as the chosen contact would get it. */
export function TestSend({ id, contact, isChanged, opened, onClose }: Props) {
  const { t } = useTranslation('templates');
  const own = useSession()?.user?.address ?? '';
  const [typed, setTyped] = useState<string>();
  const to = typed ?? own;
  const send = useMutation({ mutationFn: () => templates.test(id, to.trim(), contact?.id) });
  return (
    <Modal opened={opened} onClose={onClose} title={t('test.title')}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          send.mutate();
        }}
      >
        <Stack gap="md">
          {isChanged && (
            <Alert color="yellow" variant="light" p="xs">
              <Text size="sm">{t('test.unsaved')}</Text>
            </Alert>
          )}
          <TextInput
            label={t('test.to')}
            description={
              contact === undefined ? t('test.nobody') : t('test.as', { name: contact.name.slice(0, 80) })
            }
            value={to}
            onChange={(event) => setTyped(event.currentTarget.value)}
            required
            data-autofocus
          />
          {send.isError && <ProblemNote error={send.error} />}
          {send.data !== undefined && (
            <Alert
              color={send.data.outcome === 'accepted' ? 'green' : 'red'}
              variant="light"
              icon={<IconCheck aria-hidden />}
              role="status"
            >
              <Text size="sm" className="breaks">
                {send.data.outcome === 'accepted'
                  ? t('test.sent', { to: send.data.to })
                  : t('test.refused', { to: send.data.to })}
              </Text>
              {send.data.detail !== undefined && (
                <Text size="xs" c="dimmed" className="breaks">
                  {send.data.detail}
                </Text>
              )}
            </Alert>
          )}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              {t('shell:close')}
            </Button>
            <Button type="submit" loading={send.isPending} disabled={to.trim() === ''}>
              {t('test.send')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
