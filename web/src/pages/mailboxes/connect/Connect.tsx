/** Connecting a mailbox: the address, then a button or a password, then the first reading. */
import { Button, Group, Loader, Stack, Text, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ProblemNote } from '../../../shared/ProblemNote';
import { Dialog } from '../../settings/Dialog';
import { discover, type Found, type Mailbox } from '../calls';
import { buttonOf } from '../providers';
import { useRights } from '../state';
import { FirstReading } from './FirstReading';
import { OauthButton } from './OauthButton';
import { Password } from './Password';

const EXAMPLE = 'anna@example.com';

type Props = {
  /** One that is connected once more, or is to be connected. */
  address: string | undefined;
  /** As it is connected now. */
  box: Mailbox | undefined;
  /** One that a provider's page just came back with. */
  connected: string | undefined;
  close: () => void;
};

export function Connect({ address, box, connected, close }: Props) {
  const { t } = useTranslation('mailboxes');
  const { any, own } = useRights();
  const [typed, setTyped] = useState(address ?? (any ? '' : (own ?? '')));
  const [done, setDone] = useState(connected);
  const [byPassword, setByPassword] = useState(false);
  const ask = useMutation({ mutationFn: (wanted: string) => discover(wanted) });
  const asked = ask.mutate;
  const isKnown = address !== undefined;
  // Which mailbox it is is known: there is nothing to type first.
  useEffect(() => {
    if (address !== undefined) {
      asked(address);
    }
  }, [address, asked]);
  const found = foundOf(ask.data, ask.isError, box);
  const wanted = ask.variables ?? typed.trim();
  const button = found === undefined ? undefined : buttonOf(found);
  const takesPassword = found?.auth.includes('password') === true;

  if (done !== undefined) {
    return (
      <Dialog title={t('first.title')} close={close} size="lg">
        <FirstReading address={done} close={close} />
      </Dialog>
    );
  }
  return (
    <Dialog title={isKnown ? t('again') : t('connect')} close={close} size="lg">
      <Stack gap="md">
        {found === undefined ? (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              if (typed.trim() !== '') {
                ask.mutate(typed.trim());
              }
            }}
          >
            <Stack gap="md">
              <Text size="sm">{t('lead')}</Text>
              <TextInput
                type="email"
                size="md"
                label={t('address')}
                description={any ? undefined : t('onlyOwn')}
                placeholder={EXAMPLE}
                autoComplete="email"
                required
                withAsterisk={false}
                readOnly={isKnown || !any}
                value={typed}
                onChange={(event) => setTyped(event.currentTarget.value)}
                data-autofocus
              />
              {ask.isError && <ProblemNote error={ask.error} />}
              <Group justify="space-between">
                <Text size="xs" c="dimmed" style={{ flex: '1 1 220px' }}>
                  {t('promise')}
                </Text>
                <Button type="submit" loading={ask.isPending}>
                  {t('goOn')}
                </Button>
              </Group>
              {ask.isPending && (
                <Group gap="xs" role="status">
                  <Loader size="xs" />
                  <Text size="sm" c="dimmed">
                    {t('looking')}
                  </Text>
                </Group>
              )}
            </Stack>
          </form>
        ) : button !== undefined && !byPassword ? (
          <OauthButton
            provider={button}
            isReady={found.oauth_ready}
            address={wanted}
            instead={takesPassword ? () => setByPassword(true) : undefined}
          />
        ) : (
          <Password
            address={wanted}
            found={found}
            back={isKnown ? undefined : () => ask.reset()}
            done={() => setDone(wanted)}
          />
        )}
      </Stack>
    </Dialog>
  );
}

/** What was found; a mailbox that is there keeps its servers, and needs nothing found. */
function foundOf(found: Found | undefined, isLost: boolean, box: Mailbox | undefined): Found | undefined {
  if (box === undefined || box.auth !== 'password' || (found === undefined && !isLost)) {
    return found;
  }
  const { imap, smtp, user } = box;
  const bare: Found = { source: 'preset', auth: ['password'], oauth_ready: false, hint: 'none' };
  return { ...(found ?? bare), source: 'preset', imap, smtp: smtp ?? null, user: user ?? null };
}
