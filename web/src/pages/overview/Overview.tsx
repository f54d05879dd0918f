import { Box, Skeleton, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../shared/format';
import { Page } from '../../shared/Page';
import { ProblemNote } from '../../shared/ProblemNote';
import { useMay, useSession } from '../../shell/useSession';
import { overviewQuery } from './calls';
import classes from './Overview.module.css';
import { Health } from './parts/Health';
import { Latest } from './parts/Latest';
import { isIdle, NextSteps } from './parts/NextSteps';
import { Today } from './parts/Today';
import { Waiting } from './parts/Waiting';

/** Seen in the first days only. */
const Start = lazy(() => import('./parts/Start').then((module) => ({ default: module.Start })));

/** A workspace of so few contacts has only begun. */
const CONTACTS_BEGUN = 3;

/** What waits for the reader, what happened today, whether all works. */
export function Overview() {
  const { t } = useTranslation('overview');
  const format = useFormat();
  const name = useSession()?.user?.name;
  const { data, error, isError, refetch } = useQuery(overviewQuery);
  const may = useMay();
  const begun = data === undefined || data.contacts >= CONTACTS_BEGUN;
  return (
    <Page
      title={name ? t('hello', { name }) : t('title')}
      lead={data === undefined ? ' ' : format.day(data.now)}
    >
      {isError && data === undefined && <ProblemNote error={error} retry={() => refetch()} />}
      {data === undefined && !isError && <Loading />}
      {data !== undefined && (
        <Stack gap="xl">
          {begun ? (
            <>
              {may('journeys') && isIdle(data) && <NextSteps overview={data} />}
              <Waiting waiting={data.waiting} />
              <Today today={data.today} days={data.days} isOwn={data.own} />
              <Box className={classes.columns}>
                <Latest />
                <Health overview={data} />
              </Box>
            </>
          ) : (
            <>
              <Suspense fallback={<Skeleton height={420} />}>
                <Start overview={data} />
              </Suspense>
              <Health overview={data} />
            </>
          )}
        </Stack>
      )}
    </Page>
  );
}

function Loading() {
  return (
    <Stack gap="xl" aria-hidden>
      <Box className={classes.cards}>
        {[0, 1, 2].map((one) => (
          <Skeleton key={one} height={92} />
        ))}
      </Box>
      <Skeleton height={236} mt={34} />
      <Skeleton height={320} />
    </Stack>
  );
}
