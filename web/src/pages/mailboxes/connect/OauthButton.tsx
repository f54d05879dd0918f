import { Anchor, Button, Group, Stack, Text } from '@mantine/core';
import { IconBrandGoogle, IconBrandWindows } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { ProblemNote } from '../../../shared/ProblemNote';
import { useMay } from '../../../shell/useSession';
import { beginOauth } from '../calls';
import type { Button as Provider } from '../providers';

type Props = {
  provider: Provider;
  /** Whether our application is known there. */
  isReady: boolean;
  address: string;
  /** The way by a password, where there is one. */
  instead: (() => void) | undefined;
};

/** One button: the provider asks, the person agrees there, and comes back. */
export function OauthButton({ provider, isReady, address, instead }: Props) {
  const { t } = useTranslation('mailboxes');
  const may = useMay();
  const begin = useMutation({
    mutationFn: () => beginOauth(provider, address),
    onSuccess: ({ url }) => window.location.assign(url),
  });
  const Icon = provider === 'google' ? IconBrandGoogle : IconBrandWindows;
  return (
    <Stack gap="md">
      <Text size="sm" className="breaks">
        {t(`oauth.${provider}Text`, { address })}
      </Text>
      <Button
        size="lg"
        px="sm"
        fullWidth
        styles={{ label: { whiteSpace: 'normal' } }}
        leftSection={<Icon size={20} aria-hidden />}
        disabled={!isReady}
        loading={begin.isPending || begin.isSuccess}
        onClick={() => begin.mutate()}
        data-autofocus
      >
        {t(`oauth.${provider}`)}
      </Button>
      {!isReady && (
        <Text size="sm">
          {t('oauth.missing')}{' '}
          {may('settings') && (
            <Anchor component={Link} to="/settings/channels" size="sm" underline="always">
              {t('oauth.setUp')}
            </Anchor>
          )}
        </Text>
      )}
      {begin.isError && <ProblemNote error={begin.error} />}
      {instead !== undefined && (
        <Group justify="center">
          <Button variant="subtle" size="compact-sm" onClick={instead}>
            {t('oauth.instead')}
          </Button>
        </Group>
      )}
    </Stack>
  );
}
