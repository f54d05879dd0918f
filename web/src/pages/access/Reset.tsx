import { Anchor, Button, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { tellDone } from '../../shared/tell';
import { AccessCard } from './AccessCard';
import { AccessNote } from './AccessNote';
import { reset } from './calls';
import { linkSecret } from './link';
import { PasswordField } from './PasswordField';

/** A new password, by the link that was sent. */
export function Reset() {
  const { t } = useTranslation('access');
  const navigate = useNavigate();
  const [password, setPassword] = useState('');
  const token = linkSecret();
  const asked = useMutation({
    mutationFn: (secret: string) => reset(secret, password),
    onSuccess: () => {
      tellDone(t('reset.done'));
      navigate({ to: '/sign-in' });
    },
  });
  return (
    <AccessCard
      title={t('reset.title')}
      foot={
        <Anchor component={Link} to="/forgotten" size="sm">
          {t('reset.another')}
        </Anchor>
      }
    >
      {token === undefined ? (
        <Text size="sm">{t('linkMissing')}</Text>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            asked.mutate(token);
          }}
        >
          <Stack gap="md">
            {asked.isError && <AccessNote error={asked.error} />}
            <PasswordField
              label={t('password.new')}
              kind="new-password"
              value={password}
              onChange={setPassword}
              rated={[]}
              autoFocus
            />
            <Button type="submit" loading={asked.isPending} fullWidth>
              {t('reset.do')}
            </Button>
          </Stack>
        </form>
      )}
    </AccessCard>
  );
}
