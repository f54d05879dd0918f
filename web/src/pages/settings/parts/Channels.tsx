import { Alert, Badge, Button, Group, Skeleton, Stack, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { components } from '../../../api/schema';
import { useFormat } from '../../../shared/format';
import { ProblemNote } from '../../../shared/ProblemNote';
import { demoQuery } from '../../../shell/DemoBar';
import { type Mailbox, overviewQuery } from '../../overview/calls';
import { type Fields, type InForce, inForceQuery, sendTest } from '../calls';
import { Section } from '../Section';
import classes from '../Settings.module.css';
import { asList, asText } from './values';

/** What messages leave by, what is watched, and whether it works. */
export function Channels() {
  const { data, error, isError, refetch } = useQuery(inForceQuery);
  const overview = useQuery(overviewQuery);
  if (isError && data === undefined) {
    return <ProblemNote error={error} retry={() => refetch()} />;
  }
  if (data === undefined) {
    return <Skeleton height={420} />;
  }
  return (
    <Stack gap="md">
      <Ways channels={data.channels} file={data.file} />
      <Mailboxes
        boxes={asList(data.configuration.mailboxes)}
        health={overview.data?.mailboxes ?? {}}
        now={overview.data?.now}
        file={data.file}
      />
      <Signatures keys={asList(data.configuration.dkim)} file={data.file} />
    </Stack>
  );
}

/** Where the server says by which way a channel goes, in words of its own. */
const KNOWN_WAYS: Record<string, string> = {
  'the folder outbox': 'outbox',
  'mailboxes of salespeople': 'mailboxes',
  'not set up': 'none',
};

function Ways({ channels, file }: { channels: InForce['channels']; file: string }) {
  const { t } = useTranslation('settings');
  const test = useMutation({ mutationFn: sendTest });
  return (
    <Section title={t('channels.title')} text={t('channels.text', { file })} flush>
      {test.isError && <ProblemNote error={test.error} />}
      {test.data !== undefined && (
        <Tested
          sent={test.data}
          isKept={channels.some(
            (one) => one.channel === test.data.channel && KNOWN_WAYS[one.by] === 'outbox',
          )}
        />
      )}
      <ul className={classes.rows}>
        {channels.map((one) => {
          const way = KNOWN_WAYS[one.by];
          return (
            <li key={one.channel} className={classes.row} style={{ flexWrap: 'wrap' }}>
              <Stack gap={0} className={classes.rowMain} style={{ flexBasis: 160 }}>
                <Text size="sm" fw={600}>
                  {t(`channel.${one.channel}`, { defaultValue: one.channel })}
                </Text>
                <Text size="xs" c="dimmed" className="breaks">
                  {way === undefined ? one.by : t(`channels.by.${way}`)}
                </Text>
              </Stack>
              {one.ready && one.channel === 'email' && (
                <Button
                  variant="default"
                  size="xs"
                  loading={test.isPending}
                  onClick={() => test.mutate(one.channel)}
                >
                  {t('channels.test')}
                </Button>
              )}
              <Badge variant="light" color={one.ready ? 'green' : 'gray'}>
                {one.ready ? t('channels.ready') : t('channels.absent')}
              </Badge>
            </li>
          );
        })}
      </ul>
    </Section>
  );
}

/** What became of the test. */
function Tested({ sent, isKept }: { sent: components['schemas']['TestSent']; isKept: boolean }) {
  const { t } = useTranslation('settings');
  const { to, outcome, detail } = sent;
  const good = outcome === 'accepted';
  const words = !good ? 'refused' : isKept ? 'testedOutbox' : 'tested';
  return (
    <Alert color={good ? 'green' : 'red'} variant="light" m="sm" role="status">
      <Text size="sm" className="breaks">
        {t(`channels.${words}`, { to })}
      </Text>
      {detail != null && (
        <Text size="xs" className="breaks">
          {detail}
        </Text>
      )}
    </Alert>
  );
}

type BoxesProps = {
  boxes: Fields[];
  health: Record<string, Mailbox>;
  now: string | undefined;
  file: string;
};

function Mailboxes({ boxes, health, now, file }: BoxesProps) {
  const { t } = useTranslation('settings');
  return (
    <Section title={t('mailboxes.title')} text={t('mailboxes.text', { file })} flush={boxes.length > 0}>
      {boxes.length === 0 ? (
        <Text size="sm">{t('mailboxes.none')}</Text>
      ) : (
        <ul className={classes.rows}>
          {boxes.map((box) => {
            const address = asText(box.address);
            return <Box key={address} box={box} health={health[address.toLowerCase()]} now={now} />;
          })}
        </ul>
      )}
    </Section>
  );
}

function Box({ box, health, now }: { box: Fields; health: Mailbox | undefined; now: string | undefined }) {
  const { t } = useTranslation('settings');
  const format = useFormat();
  const isDemo = Boolean(useQuery(demoQuery).data);
  const state = isDemo ? 'played' : health?.failure ? 'failing' : health?.synced_at ? 'read' : 'never';
  const colour = { played: 'blue', failing: 'red', read: 'green', never: 'gray' }[state];
  const ways = [
    t('mailboxes.imap', { server: asText(box.imap) }),
    box.smtp ? t('mailboxes.smtp', { server: asText(box.smtp) }) : t('mailboxes.noSmtp'),
  ];
  return (
    <li className={classes.row} style={{ alignItems: 'flex-start' }}>
      <Stack gap={1} className={classes.rowMain}>
        <Group gap="xs">
          <Text size="sm" fw={600} className="breaks">
            {asText(box.address)}
          </Text>
          {asText(box.name) !== '' && (
            <Text size="sm" c="dimmed" className="breaks" lineClamp={1}>
              {asText(box.name)}
            </Text>
          )}
        </Group>
        <Text size="xs" c="dimmed" className="breaks">
          {ways.join(' · ')}
        </Text>
        {health?.synced_at && (
          <Text size="xs" c="dimmed">
            {t('mailboxes.synced', {
              at: format.relative(health.synced_at, now === undefined ? undefined : Date.parse(now)),
              seen: format.number(health.seen),
            })}
          </Text>
        )}
        {state === 'failing' && (
          <>
            <Text size="sm" className="breaks">
              {health?.failure}
            </Text>
            <Text size="xs" c="dimmed">
              {t('overview:health.failingText')}
            </Text>
          </>
        )}
        {health !== undefined && health.unreadable > 0 && (
          <Text size="xs" className="breaks">
            {t('overview:health.unreadable', {
              count: health.unreadable,
              where: health.unreadable_last ?? '',
            })}
          </Text>
        )}
      </Stack>
      <Badge variant="light" color={colour}>
        {t(`overview:health.${state}`)}
      </Badge>
    </li>
  );
}

function Signatures({ keys, file }: { keys: Fields[]; file: string }) {
  const { t } = useTranslation('settings');
  return (
    <Section title={t('dkim.title')} text={t('dkim.text', { file })}>
      <Text size="sm" className="breaks">
        {keys.length === 0
          ? t('dkim.none')
          : keys.map((key) => `${asText(key.selector)}._domainkey.${asText(key.domain)}`).join(', ')}
      </Text>
    </Section>
  );
}
