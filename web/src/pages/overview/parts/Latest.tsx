import { Anchor, Skeleton, Stack, Text } from '@mantine/core';
import { IconCircleX, IconClockPause, IconRotate2, IconSend } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../../shared/format';
import { ProblemNote } from '../../../shared/ProblemNote';
import { useNow } from '../../../shared/useNow';
import { latestQuery } from '../calls';
import classes from '../Overview.module.css';
import { Part } from '../Part';

const ICONS = {
  accepted: { icon: IconSend, colour: 'var(--mantine-color-blue-6)' },
  held: { icon: IconClockPause, colour: 'var(--mantine-color-orange-6)' },
  dropped: { icon: IconCircleX, colour: 'var(--mantine-color-gray-6)' },
  withdrawn: { icon: IconRotate2, colour: 'var(--mantine-color-teal-6)' },
} as const;

/** The last messages that left, wait, or did not go, and why. */
export function Latest() {
  const { t } = useTranslation('overview');
  const format = useFormat();
  const now = useNow();
  const { data, error, isError, refetch } = useQuery(latestQuery);
  return (
    <Part
      title={t('latest.title')}
      more={
        <Anchor component={Link} to="/messages" size="sm">
          {t('latest.all')}
        </Anchor>
      }
    >
      {isError && data === undefined && <ProblemNote error={error} retry={() => refetch()} />}
      {data === undefined && !isError && <Skeleton height={280} />}
      {data?.length === 0 && (
        <Text size="sm" c="dimmed">
          {t('latest.none')}
        </Text>
      )}
      {data !== undefined && data.length > 0 && (
        <ul className={classes.lines}>
          {data.map((line) => {
            const { icon: Icon, colour } = ICONS[line.list];
            return (
              <li key={`${line.list} ${line.id}`} className={classes.line}>
                <Icon size={18} stroke={1.6} aria-hidden className={classes.icon} style={{ color: colour }} />
                <Stack gap={0} className={classes.lineMain}>
                  <Text size="sm" className="breaks" lineClamp={1} component="div">
                    <Anchor component={Link} to={`/contacts/${line.contact}`} fw={600}>
                      {line.name}
                    </Anchor>
                  </Text>
                  <Text size="xs" c="dimmed" className="breaks" lineClamp={2}>
                    {t(`latest.${line.list}`, { template: line.template })}
                    {line.reason != null &&
                      `: ${t(`reason.${line.reason}`, {
                        ns: 'contacts',
                        defaultValue: line.reason.replaceAll('_', ' '),
                      })}`}
                  </Text>
                </Stack>
                <Text size="xs" c="dimmed" className="numbers" style={{ flex: 'none' }}>
                  {line.list === 'held'
                    ? t('latest.until', { at: format.relative(line.at, now) })
                    : format.relative(line.at, now)}
                </Text>
              </li>
            );
          })}
        </ul>
      )}
    </Part>
  );
}
