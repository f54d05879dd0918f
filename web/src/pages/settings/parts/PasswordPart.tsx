import { Button, Group, Stack } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { queries } from '../../../api/queries';
import { tellDone } from '../../../shared/tell';
import { useSession } from '../../../shell/useSession';
import { AccessNote } from '../../access/AccessNote';
import { begun } from '../../access/calls';
import { PasswordField } from '../../access/PasswordField';
import { devicesQuery, putPassword } from '../calls';
import { Dialog } from '../Dialog';
import { Section } from '../Section';

export function PasswordPart() {
  const { t } = useTranslation('settings');
  const user = useSession()?.user;
  const [opened, setOpened] = useState(false);
  const known = user?.password !== false;
  return (
    <>
      <Section
        title={t('password.title')}
        text={known ? t('password.text') : t('password.none')}
        actions={
          <Button variant="default" size="xs" onClick={() => setOpened(true)}>
            {known ? t('password.change') : t('password.set')}
          </Button>
        }
      />
      {opened && <Change known={known} address={user?.address ?? ''} close={() => setOpened(false)} />}
    </>
  );
}

function Change({ known, address, close }: { known: boolean; address: string; close: () => void }) {
  const { t } = useTranslation('settings');
  const [current, setCurrent] = useState('');
  const [password, setPassword] = useState('');
  const save = useMutation({
    mutationFn: () => putPassword({ ...(known ? { current } : {}), password }),
    onSuccess: (mine) => {
      begun(mine);
      queries.invalidateQueries({ queryKey: devicesQuery.queryKey });
      tellDone(t('password.done'));
      close();
    },
  });
  return (
    <Dialog title={known ? t('password.change') : t('password.set')} close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <Stack gap="md">
          {save.isError && <AccessNote error={save.error} />}
          {/* Tells a password manager whose password it is. */}
          <input type="email" name="email" autoComplete="username" value={address} readOnly hidden />
          {known && (
            <PasswordField
              label={t('password.current')}
              kind="current-password"
              value={current}
              onChange={setCurrent}
              autoFocus
            />
          )}
          <PasswordField
            label={t('password.new')}
            kind="new-password"
            value={password}
            onChange={setPassword}
            rated={[address]}
            autoFocus={!known}
          />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              {t('shell:cancel')}
            </Button>
            <Button type="submit" loading={save.isPending}>
              {t('shell:save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
