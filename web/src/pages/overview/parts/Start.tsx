import { Anchor, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { answer, api } from '../../../api/client';
import { useMay, useSession } from '../../../shell/useSession';
import { eventCall } from '../../settings/parts/eventCall';
import { Secret } from '../../settings/Secret';
import type { Answer } from '../calls';
import classes from '../Overview.module.css';
import { Part } from '../Part';
import { Step } from './Step';

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
