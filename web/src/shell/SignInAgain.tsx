import { Modal, Stack, Text } from '@mantine/core';
import { useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { session } from '../api/session';
import { SignInForm } from '../pages/access/SignInForm';
import { useSession } from './useSession';

/** Over the page whose session ended: what was typed stays, and the call that met it is made again. */
export function SignInAgain() {
  const { t } = useTranslation('shell');
  const asks = useSyncExternalStore(session.subscribe, () => session.asks);
  const mine = useSession();
  return (
    <Modal
      opened={asks}
      onClose={() => undefined}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      title={t('again.title')}
      centered
      zIndex={1000}
    >
      <Stack>
        <Text size="sm">{t('again.text')}</Text>
        <SignInForm address={mine?.user?.address} done={() => undefined} />
      </Stack>
    </Modal>
  );
}
