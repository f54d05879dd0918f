import { Anchor, Button, Stack, Text, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { AccessCard } from './AccessCard';
import { AccessNote } from './AccessNote';
import { forgot } from './calls';

/** Asks for a link to choose a new password. The answer is the same whether the address is known or not. */
export function Forgotten() {
  const { t } = useTranslation('access');
  const [address, setAddress] = useState('');
  const asked = useMutation({ mutationFn: forgot });
  return (
    <AccessCard
      title={asked.isSuccess ? t('forgotten.sent') : t('forgotten.title')}
      lead={asked.isSuccess ? undefined : t('forgotten.lead')}
      foot={
        <Anchor component={Link} to="/sign-in" size="sm">
          {t('toSignIn')}
        </Anchor>
      }
    >
      {asked.isSuccess ? (
        <Text size="sm" className="breaks" role="status">
          {t('forgotten.sentText', { address: asked.variables })}
        </Text>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            asked.mutate(address.trim());
          }}
        >
          <Stack gap="md">
            {asked.isError && <AccessNote error={asked.error} />}
            <TextInput
              label={t('address')}
              type="email"
              name="email"
              autoComplete="username"
              required
              withAsterisk={false}
              value={address}
              onChange={(event) => setAddress(event.currentTarget.value)}
              autoFocus
            />
            <Button type="submit" loading={asked.isPending} fullWidth>
              {t('forgotten.do')}
            </Button>
          </Stack>
        </form>
      )}
    </AccessCard>
  );
}
