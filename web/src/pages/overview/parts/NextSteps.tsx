import { Anchor, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, type LinkProps } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { answer, api } from '../../../api/client';
import { demoQuery } from '../../../shell/DemoBar';
import { useMay } from '../../../shell/useSession';
import { inForceQuery } from '../../settings/calls';
import type { Answer } from '../calls';
import classes from '../Overview.module.css';
import { Part } from '../Part';
import { Step } from './Step';

/** No journey has begun for anybody in these days. */
export function isIdle({ days, today }: Answer): boolean {
  return [...days, today].every((day) => day.enrolled === 0);
}

/** A workspace that knows its documents and follows none of them up: what is still to do. */
export function NextSteps({ overview }: { overview: Answer }) {
  const { t } = useTranslation('overview');
  const may = useMay();
  const isDemo = Boolean(useQuery(demoQuery).data);
  const journeys = useQuery({
    queryKey: ['journeys', 'any'],
    queryFn: () => answer(api.GET('/api/v1/journeys')),
    enabled: !isDemo,
  });
  const { data: inForce } = useQuery({ ...inForceQuery, enabled: may('settings') && !isDemo });
  if (isDemo || journeys.data === undefined) {
    return null;
  }
  const isPublished = journeys.data.items.some((one) => one.current != null);
  const isOutbox = inForce?.channels.some((one) => one.channel === 'email' && one.by === 'outbox');
  return (
    <Part title={t('next.title')}>
      <ol className={classes.steps}>
        <Step done={Object.keys(overview.mailboxes).length > 0} title={t('start.mailbox')}>
          <Text size="sm" c="dimmed">
            {t('start.mailboxText')}{' '}
            <Go
              to="/settings/$part"
              params={{ part: 'mailboxes' }}
              search={{ connect: 'new' }}
              words={t('start.mailboxConnect')}
            />
          </Text>
        </Step>
        <Step done={isPublished} title={t('next.journey')}>
          <Text size="sm" c="dimmed">
            {t('start.scenarioText')}{' '}
            {journeys.data.items.length > 0 ? (
              <Go to="/journeys" words={t('next.publish')} />
            ) : (
              <Go to="/journeys" search={{ library: true }} words={t('start.scenarioChoose')} />
            )}
          </Text>
        </Step>
        <Step done={false} title={t('next.follow')}>
          <Text size="sm" c="dimmed">
            {t('next.followText')}{' '}
            <Go to="/documents" search={{ state: 'open' }} words={t('next.followGo')} />
          </Text>
        </Step>
        {isOutbox !== undefined && (
          <Step done={!isOutbox} title={t('next.send')}>
            <Text size="sm" c="dimmed">
              {t('next.sendText')}{' '}
              <Go to="/settings/$part" params={{ part: 'channels' }} words={t('next.sendGo')} />
            </Text>
          </Step>
        )}
      </ol>
    </Part>
  );
}

type GoProps = Pick<LinkProps, 'to' | 'params' | 'search'> & { words: string };

function Go({ words, ...where }: GoProps) {
  return (
    <Anchor size="sm" underline="always" renderRoot={(props) => <Link {...props} {...where} />}>
      {words}
    </Anchor>
  );
}
