import { Anchor, Button, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { failureOf } from '../../api/problem';
import { AccessNote } from './AccessNote';
import { asksForCode, signIn } from './calls';
import { PasswordField } from './PasswordField';

type Props = {
  /** Whose session ended: nobody else goes on in their place. */
  address?: string | undefined;
  done: () => void;
};

/** Address and password, then the code of the second factor where one is asked for. Keeps nothing. */
export function SignInForm({ address: known, done }: Props) {
  const { t } = useTranslation('access');
  const [address, setAddress] = useState(known ?? '');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  /** The password was right, and a code is asked for. */
  const [second, setSecond] = useState(false);
  const [recovery, setRecovery] = useState(false);
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      const typed = code.trim();
      await signIn({ address: address.trim(), password, ...(second && typed !== '' ? { code: typed } : {}) });
      done();
    } catch (problem) {
      if (asksForCode(problem) && !second) {
        setSecond(true);
      } else {
        setError(problem);
        setCode('');
        if (failureOf(problem).problem.code === 'wrong_credentials') {
          setSecond(false);
        }
      }
    } finally {
      setBusy(false);
    }
  };

  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        {error !== undefined && <AccessNote error={error} />}
        {second ? (
          <CodeField
            key={String(recovery)}
            recovery={recovery}
            value={code}
            onChange={setCode}
            swap={() => {
              setRecovery(!recovery);
              setCode('');
            }}
          />
        ) : (
          <>
            <TextInput
              label={t('address')}
              type="email"
              name="email"
              autoComplete="username"
              inputMode="email"
              required
              withAsterisk={false}
              value={address}
              onChange={(event) => setAddress(event.currentTarget.value)}
              readOnly={known !== undefined}
              autoFocus={known === undefined}
            />
            <PasswordField
              label={t('password.label')}
              kind="current-password"
              value={password}
              onChange={setPassword}
              autoFocus={known !== undefined}
            />
          </>
        )}
        <Button type="submit" loading={busy} fullWidth>
          {second ? t('signIn.confirm') : t('signIn.do')}
        </Button>
        {second && (
          <Anchor
            component="button"
            type="button"
            size="sm"
            onClick={() => {
              setSecond(false);
              setError(undefined);
            }}
          >
            {t('signIn.back')}
          </Anchor>
        )}
        {known !== undefined && !second && (
          // A whole new page: whatever waits here belongs to the person who was signed in.
          <Anchor href="/sign-in" size="sm">
            {t('signIn.other')}
          </Anchor>
        )}
      </Stack>
    </form>
  );
}

type CodeProps = {
  recovery: boolean;
  value: string;
  onChange: (value: string) => void;
  swap: () => void;
};

function CodeField({ recovery, value, onChange, swap }: CodeProps) {
  const { t } = useTranslation('access');
  return (
    <Stack gap="xs">
      <Text size="sm" c="dimmed">
        {recovery ? t('code.recoveryText') : t('code.text')}
      </Text>
      <TextInput
        label={recovery ? t('code.recoveryLabel') : t('code.label')}
        name="code"
        autoComplete="one-time-code"
        inputMode={recovery ? 'text' : 'numeric'}
        required
        withAsterisk={false}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        autoFocus
        ff="monospace"
      />
      <Anchor component="button" type="button" size="sm" onClick={swap} style={{ alignSelf: 'flex-start' }}>
        {recovery ? t('code.useApp') : t('code.useRecovery')}
      </Anchor>
    </Stack>
  );
}
