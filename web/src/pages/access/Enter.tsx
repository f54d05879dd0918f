import { Anchor, Center, Loader } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link, useRouter, useSearch } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { AccessCard } from './AccessCard';
import { AccessNote } from './AccessNote';
import { signIn } from './calls';
import { linkSecret, placeAfter } from './link';

/** A link that signs in once. */
export function Enter() {
  const { t } = useTranslation('access');
  const router = useRouter();
  const search = useSearch({ strict: false });
  const link = linkSecret();
  const { mutate, error, isError } = useMutation({
    mutationFn: (secret: string) => signIn({ link: secret }),
    onSuccess: () => router.history.replace(placeAfter(search.to)),
  });
  // The link is good for one call; a component may be begun twice.
  const asked = useRef(false);
  useEffect(() => {
    if (link !== undefined && !asked.current) {
      asked.current = true;
      mutate(link);
    }
  }, [link, mutate]);
  return (
    <AccessCard
      title={isError || link === undefined ? t('enter.failed') : t('enter.title')}
      lead={isError || link === undefined ? t('enter.once') : undefined}
      foot={
        <Anchor component={Link} to="/sign-in" size="sm">
          {t('toSignIn')}
        </Anchor>
      }
    >
      {isError && <AccessNote error={error} />}
      {!isError && link !== undefined && (
        <Center py="md">
          <Loader aria-label={t('enter.title')} />
        </Center>
      )}
    </AccessCard>
  );
}
