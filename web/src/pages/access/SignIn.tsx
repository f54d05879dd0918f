import { Alert, Anchor, Button, Divider, Skeleton, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { Failure } from '../../api/problem';
import { GoOn } from '../../shared/GoOn';
import { ProblemNote } from '../../shared/ProblemNote';
import { sessionQuery } from '../../shell/useSession';
import { AccessCard } from './AccessCard';
import { accessWords } from './AccessNote';
import { waysQuery } from './calls';
import { placeAfter } from './link';
import { SignInForm } from './SignInForm';

/** Why the sign-in by another service came to nothing: it sends the person back with a code. */
function elsewhereWords(code: string): string | undefined {
  return accessWords(new Failure(401, { code }));
}

export function SignIn() {
  const { t } = useTranslation('access');
  const search = useSearch({ strict: false });
  const { data, isPending } = useQuery(sessionQuery);
  const ways = useQuery(waysQuery);
  const to = placeAfter(search.to);
  if (data !== undefined) {
    return <GoOn to={to} />;
  }
  if (ways.data?.setup_needed === true) {
    return <GoOn to="/setup" />;
  }
  const provider = ways.data?.provider;
  return (
    <AccessCard
      title={t('signIn.title')}
      foot={
        <Anchor component={Link} to="/forgotten" size="sm">
          {t('signIn.forgotten')}
        </Anchor>
      }
    >
      {typeof search.problem === 'string' && (
        <Alert color="red" variant="light" role="alert">
          {elsewhereWords(search.problem) ?? t('signIn.otherFailed')}
        </Alert>
      )}
      {ways.isError && <ProblemNote error={ways.error} retry={() => ways.refetch()} />}
      {isPending ? (
        <Stack gap="md" aria-hidden>
          <Skeleton height={58} />
          <Skeleton height={58} />
          <Skeleton height={36} />
        </Stack>
      ) : (
        // The session that it brings sends the person on, above.
        <SignInForm done={() => undefined} />
      )}
      {provider && (
        <>
          <Divider label={t('signIn.or')} />
          <Button component="a" href="/auth/oidc" variant="default" fullWidth>
            {t('signIn.with', { name: provider })}
          </Button>
        </>
      )}
    </AccessCard>
  );
}
