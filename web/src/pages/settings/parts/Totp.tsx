import { Badge, Button, Group } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { queries } from '../../../api/queries';
import { tellDone } from '../../../shared/tell';
import { useSession } from '../../../shell/useSession';
import { endTotp, renewCodes } from '../calls';
import { Dialog } from '../Dialog';
import { Section } from '../Section';
import { PasswordAsk } from './PasswordAsk';
import { Codes, TotpSetup } from './TotpSetup';

/** Fewer recovery codes left than this deserve a word. */
const CODES_FEW = 3;

/** The second factor: on or off, and how many recovery codes are left. */
export function Totp() {
  const { t } = useTranslation('settings');
  const user = useSession()?.user;
  const [open, setOpen] = useState<'on' | 'off' | 'renew'>();
  const [codes, setCodes] = useState<string[]>();
  const on = user?.totp === true;
  const left = user?.recovery_codes ?? 0;
  const close = () => {
    setOpen(undefined);
    setCodes(undefined);
    queries.invalidateQueries({ queryKey: ['session'] });
  };
  return (
    <>
      <Section
        title={t('totp.title')}
        text={
          <>
            {t('totp.text')} {on && t(left < CODES_FEW ? 'totp.codesFew' : 'totp.codesLeft', { count: left })}
          </>
        }
        actions={
          <Group gap="xs">
            {on && (
              <Badge color="green" variant="light">
                {t('totp.on')}
              </Badge>
            )}
            {on && (
              <Button variant="default" size="xs" onClick={() => setOpen('renew')}>
                {t('totp.renew')}
              </Button>
            )}
            <Button variant="default" size="xs" onClick={() => setOpen(on ? 'off' : 'on')}>
              {on ? t('totp.turnOff') : t('totp.turnOn')}
            </Button>
          </Group>
        }
      />
      {open === 'on' && <TotpSetup close={close} />}
      {open === 'renew' && (
        <PasswordAsk
          title={t('totp.renew')}
          text={t('totp.renewText')}
          action={t('totp.renewDo')}
          run={async (password) => setCodes((await renewCodes(password)).recovery_codes)}
          close={() => setOpen(undefined)}
        />
      )}
      {codes !== undefined && (
        <Dialog title={t('totp.codes')} close={close} stays>
          <Codes codes={codes} close={close} text={t('totp.renewed')} />
        </Dialog>
      )}
      {open === 'off' && (
        <PasswordAsk
          title={t('totp.turnOff')}
          text={t('totp.offText')}
          action={t('totp.turnOff')}
          danger
          run={async (password) => {
            await endTotp(password);
            tellDone(t('totp.isOff'));
          }}
          close={close}
        />
      )}
    </>
  );
}
