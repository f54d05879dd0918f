import { Anchor, Badge, Group, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconClock } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../../shared/format';
import { demoQuery } from '../../../shell/DemoBar';
import { useMay } from '../../../shell/useSession';
import { inForceQuery } from '../../settings/calls';
import type { Answer, Mailbox } from '../calls';
import classes from '../Overview.module.css';
import { Part } from '../Part';

/** Whether each mailbox can be read, and what to do where it cannot. */
export function Health({ overview }: { overview: Answer }) {
  const { t } = useTranslation('overview');
  const may = useMay();
  const boxes = Object.entries(overview.mailboxes).sort(
    ([one, a], [other, b]) => rank(a) - rank(b) || one.localeCompare(other),
  );
  return (
    <Part
      title={t('health.title')}
      more={
        (may('settings') || may('work')) && (
          <Anchor component={Link} to="/settings/mailboxes" size="sm">
            {t('health.settings')}
          </Anchor>
        )
      }
    >
      <ul className={classes.lines}>
        {may('settings') && <Email />}
        {boxes.length === 0 && (
          <li className={classes.line}>
            <Text size="sm" c="dimmed">
              {t('health.none')}
            </Text>
          </li>
        )}
        {boxes.map(([address, box]) => (
          <Box key={address} address={address} box={box} now={Date.parse(overview.now)} />
        ))}
      </ul>
    </Part>
  );
}

/** What the server says where messages stay in a folder. */
const OUTBOX = ['outbox', 'the folder outbox'];

/** Whether messages leave at all. */
function Email() {
  const { t } = useTranslation('overview');
  const { data } = useQuery(inForceQuery);
  const email = data?.channels.find((one) => one.channel === 'email');
  if (email === undefined) {
    return null;
  }
  const [Icon, colour, state] = !email.ready
    ? ([IconAlertTriangle, 'red', 'absent'] as const)
    : OUTBOX.includes(email.by)
      ? ([IconClock, 'orange', 'outbox'] as const)
      : ([IconCircleCheck, 'green', 'sends'] as const);
  return (
    <li className={classes.line}>
      <Icon
        size={18}
        stroke={1.6}
        aria-hidden
        className={classes.icon}
        style={{ color: `var(--mantine-color-${colour}-6)` }}
      />
      <Stack gap={2} className={classes.lineMain}>
        <Group justify="space-between" gap="xs" wrap="nowrap" align="flex-start">
          <Text size="sm">{t('health.email')}</Text>
          <Badge color={colour} variant="light" style={{ flex: 'none' }}>
            {t(`health.${state}`)}
          </Badge>
        </Group>
        <Text size="xs" c="dimmed" className="breaks">
          {t(`health.${state}Text`)}
        </Text>
      </Stack>
    </li>
  );
}

/** States in which a person has to look. */
const FAILING = ['failing', 'login_refused', 'silent'];

/** What needs somebody stands first. */
function rank(box: Mailbox): number {
  if (FAILING.includes(box.state)) {
    return 0;
  }
  return box.unreadable > 0 ? 1 : box.synced_at ? 3 : 2;
}

function Box({ address, box, now }: { address: string; box: Mailbox; now: number }) {
  const { t } = useTranslation('overview');
  const format = useFormat();
  const isDemo = Boolean(useQuery(demoQuery).data);
  // The demonstration plays its mailboxes: no server stands behind them.
  const [Icon, colour, state] = isDemo
    ? ([IconCircleCheck, 'blue', 'played'] as const)
    : FAILING.includes(box.state)
      ? ([IconAlertTriangle, box.state === 'silent' ? 'orange' : 'red', 'failing'] as const)
      : box.state === 'paused'
        ? ([IconClock, 'gray', 'paused'] as const)
        : box.synced_at
          ? ([IconCircleCheck, 'green', 'read'] as const)
          : ([IconClock, 'gray', 'never'] as const);
  return (
    <li className={classes.line}>
      <Icon size={18} stroke={1.6} aria-hidden style={{ color: `var(--mantine-color-${colour}-6)` }} />
      <Stack gap={2} className={classes.lineMain}>
        <Group justify="space-between" gap="xs" wrap="nowrap" align="flex-start">
          <Text size="sm" className="breaks" lineClamp={2}>
            {address}
          </Text>
          <Badge color={colour} variant="light" style={{ flex: 'none' }}>
            {t(state === 'failing' ? `mailboxes:state.${box.state}` : `health.${state}`)}
          </Badge>
        </Group>
        {state !== 'failing' && (
          <Text size="xs" c="dimmed">
            {state === 'read'
              ? t('health.synced', { at: format.relative(box.synced_at, now) })
              : t(`health.${state}Text`)}
          </Text>
        )}
        {state === 'failing' && (
          <>
            {box.synced_at && (
              <Text size="xs" c="dimmed">
                {t('health.synced', { at: format.relative(box.synced_at, now) })}
              </Text>
            )}
            <Text size="xs" className="breaks">
              {t(`mailboxes:remedy.${box.code ?? box.state}`, {
                defaultValue: t(`mailboxes:remedy.${box.state}`),
              })}
            </Text>
            {box.failure && (
              <Text size="xs" c="dimmed" className="breaks" lineClamp={3} title={box.failure}>
                {box.failure}
              </Text>
            )}
            <Text size="xs" c="dimmed">
              {t('health.failingText')}
            </Text>
          </>
        )}
        {box.unreadable > 0 && (
          <Text size="xs" className="breaks">
            {t('health.unreadable', { count: box.unreadable, where: box.unreadable_last ?? '' })}
          </Text>
        )}
      </Stack>
    </li>
  );
}
