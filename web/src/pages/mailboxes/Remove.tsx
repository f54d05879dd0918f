import { Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { tellDone, tellLook } from '../../shared/tell';
import { Confirm } from '../settings/Confirm';
import { type Mailbox, mailboxesQuery, removeMailbox } from './calls';

/** Says what happens without the mailbox, then removes it. */
export function Remove({ box, close }: { box: Mailbox; close: () => void }) {
  const { t } = useTranslation('mailboxes');
  const queries = useQueryClient();
  const { address, auth } = box;
  return (
    <Confirm
      title={t('removeTitle', { address })}
      text={
        <Stack gap={6}>
          <Text size="sm">{t('removeText')}</Text>
          <Text size="sm">{t('removeHeld')}</Text>
          {auth === 'oauth' && <Text size="sm">{t('removeToken')}</Text>}
        </Stack>
      }
      action={t('remove')}
      run={async () => {
        const { revoked } = await removeMailbox(address);
        await queries.invalidateQueries({ queryKey: mailboxesQuery.queryKey });
        if (revoked === 'failed' || revoked === 'by_hand') {
          // The provider still lists the leave: the person takes it away there.
          tellLook(t('removedByHand', { address }));
        } else {
          tellDone(t('removed', { address }));
        }
      }}
      close={close}
    />
  );
}
