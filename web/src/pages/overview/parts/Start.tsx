import { Anchor, Box, Stack, Text } from '@mantine/core';
import { IconCircle, IconCircleCheckFilled } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { answer, api } from '../../../api/client';
import { useMay, useSession } from '../../../shell/useSession';
import { eventCall } from '../../settings/parts/eventCall';
import { Secret } from '../../settings/Secret';
import type { Answer } from '../calls';
import classes from '../Overview.module.css';
import { Part } from '../Part';

/** The first steps of a new workspace, ticked off as they are done. */
export function Start({ overview }: { overview: Answer }) {
  const { t } = useTranslation('overview');
  const may = useMay();
  const mine = useSession();
  const journeys = useQuery({
    queryKey: ['journeys', 'any'],
    queryFn: () => answer(api.GET('/api/v1/journeys')),
  });
  const users = useQuery({
    queryKey: ['users', 'any'],
    queryFn: () => answer(api.GET('/api/v1/users')),
    enabled: may('users'),
  });
  const url = mine?.workspace.public_url ?? window.location.origin;
  return (
    <Part title={t('start.title')}>
      <Text size="sm" c="dimmed">
        {t('start.lead')}
      </Text>
      <ol className={classes.steps}>
        <Step done={Object.keys(overview.mailboxes).length > 0} title={t('start.mailbox')}>
          <Text size="sm" c="dimmed">
            {t('start.mailboxText')}{' '}
            {(may('settings') || may('work')) && (
              <Anchor
                size="sm"
                underline="always"
                renderRoot={(props) => (
                  <Link
                    {...props}
                    to="/settings/$part"
                    params={{ part: 'mailboxes' }}
                    search={{ connect: 'new' }}
                  />
                )}
              >
                {t('start.mailboxConnect')}
              </Anchor>
            )}
          </Text>
        </Step>
        <Step done={(journeys.data?.items.length ?? 0) > 0} title={t('start.scenario')}>
          <Text size="sm" c="dimmed">
            {t('start.scenarioText')}{' '}
            {may('journeys') && (
              <Anchor
                size="sm"
                underline="always"
                renderRoot={(props) => <Link {...props} to="/journeys" search={{ library: true }} />}
              >
                {t('start.scenarioChoose')}
              </Anchor>
            )}
          </Text>
        </Step>
        <Step done={overview.events > 0} title={t('start.event')}>
          <Text size="sm" c="dimmed">
            {t('start.eventText')}{' '}
            {may('keys') && (
              <Anchor component={Link} to="/settings/keys" size="sm" underline="always">
                {t('start.eventKey')}
              </Anchor>
            )}
          </Text>
          <Secret value={eventCall(url, 'WRITE_KEY')} label={t('start.event')} />
        </Step>
        {may('users') && (
          <Step done={(users.data?.items.length ?? 0) > 1} title={t('start.colleagues')}>
            <Text size="sm" c="dimmed">
              {t('start.colleaguesText')}{' '}
              <Anchor component={Link} to="/settings/team" size="sm" underline="always">
                {t('start.invite')}
              </Anchor>
            </Text>
          </Step>
        )}
      </ol>
    </Part>
  );
}

function Step({ done, title, children }: { done: boolean; title: string; children: ReactNode }) {
  const { t } = useTranslation('overview');
  return (
    <li className={classes.step} data-done={done || undefined}>
      <Box className={classes.tick} role="img" aria-label={done ? t('start.done') : t('start.open')}>
        {done ? <IconCircleCheckFilled size={20} aria-hidden /> : <IconCircle size={20} aria-hidden />}
      </Box>
      <Stack gap={6} style={{ minWidth: 0, flex: 1 }}>
        <Text fw={600} size="sm">
          {title}
        </Text>
        {!done && children}
      </Stack>
    </li>
  );
}
