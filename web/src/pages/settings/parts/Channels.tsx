import { Alert, Badge, Button, Skeleton, Stack, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { components } from '../../../api/schema';
import { ProblemNote } from '../../../shared/ProblemNote';
import { type Fields, type InForce, inForceQuery, sendTest } from '../calls';
import { Section } from '../Section';
import classes from '../Settings.module.css';
import { Delivery } from '../sections/Delivery';
import { OAuthClients } from '../sections/OAuthClients';
import { Smtp } from '../sections/Smtp';
import { asList, asText } from './values';

/** What messages leave by, and whether it works. */
export function Channels() {
  const { data, error, isError, refetch } = useQuery(inForceQuery);
  if (isError && data === undefined) {
    return <ProblemNote error={error} retry={() => refetch()} />;
  }
  if (data === undefined) {
    return <Skeleton height={420} />;
  }
  return (
    <Stack gap="md">
      <Ways channels={data.channels} />
      <Delivery />
      <Smtp />
      <OAuthClients />
      <Signatures keys={asList(data.configuration.dkim)} file={data.file} />
    </Stack>
  );
}

/** Where the server says by which way a channel goes, in words of its own. */
const KNOWN_WAYS: Record<string, string> = {
  outbox: 'outbox',
  mailboxes: 'mailboxes',
  none: 'none',
  'the folder outbox': 'outbox',
  'mailboxes of salespeople': 'mailboxes',
  'not set up': 'none',
};

function Ways({ channels }: { channels: InForce['channels'] }) {
  const { t } = useTranslation('settings');
  const test = useMutation({ mutationFn: sendTest });
  return (
    <Section title={t('channels.title')} text={t('channels.text')} flush>
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
