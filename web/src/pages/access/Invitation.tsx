import { Anchor, Button, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { language } from '../../words';
import { AccessCard } from './AccessCard';
import { AccessNote } from './AccessNote';
import { accept, type InvitationShown, invitation } from './calls';
import { linkSecret } from './link';
import { PasswordField } from './PasswordField';

/** Whoever was invited says their name, chooses a password, and is signed in. */
export function Invitation() {
  const { t } = useTranslation('access');
  const token = linkSecret();
  const { data, error, isError } = useQuery({
    queryKey: ['invitation', token],
    queryFn: () => invitation(token ?? ''),
    enabled: token !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  return (
    <AccessCard
      title={data?.workspace ? t('invitation.titleOf', { name: data.workspace }) : t('invitation.title')}
      lead={data?.by ? t('invitation.by', { name: data.by }) : undefined}
      foot={
        <Anchor component={Link} to="/sign-in" size="sm">
          {t('toSignIn')}
        </Anchor>
      }
    >
      {token === undefined && <Text size="sm">{t('linkMissing')}</Text>}
      {isError && (
        <>
          <AccessNote error={error} />
          <Text size="sm">{t('invitation.old')}</Text>
        </>
      )}
      {data !== undefined && token !== undefined && <Form token={token} shown={data} />}
      {token !== undefined && data === undefined && !isError && (
        <Stack gap="md" aria-hidden>
          <Skeleton height={58} />
          <Skeleton height={58} />
          <Skeleton height={36} />
        </Stack>
      )}
    </AccessCard>
  );
}

function Form({ token, shown }: { token: string; shown: InvitationShown }) {
  const { t } = useTranslation('access');
  const router = useRouter();
  const [name, setName] = useState(shown.name ?? '');
  const [password, setPassword] = useState('');
  const asked = useMutation({
    mutationFn: () => accept(token, { name: name.trim(), password, language: language() }),
    onSuccess: () => router.history.replace('/'),
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        asked.mutate();
      }}
    >
      <Stack gap="md">
        {asked.isError && <AccessNote error={asked.error} />}
        <TextInput
          label={t('address')}
          type="email"
          name="email"
          autoComplete="username"
          value={shown.address}
          readOnly
        />
        <TextInput
          label={t('name')}
          name="name"
          autoComplete="name"
          required
          withAsterisk={false}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          autoFocus
        />
        <PasswordField
          label={t('password.choose')}
          kind="new-password"
          value={password}
          onChange={setPassword}
          rated={[shown.address, name]}
        />
        <Button type="submit" loading={asked.isPending} fullWidth>
          {t('invitation.do')}
        </Button>
      </Stack>
    </form>
  );
}
