import { Badge, Button, Group, Skeleton, Stack, Text } from '@mantine/core';
import { IconDeviceDesktop, IconDeviceMobile } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { queries } from '../../../api/queries';
import { useFormat } from '../../../shared/format';
import { ProblemNote } from '../../../shared/ProblemNote';
import { tellDone, tellFailure } from '../../../shared/tell';
import { type Device, devicesQuery, endDevice } from '../calls';
import { Section } from '../Section';
import classes from '../Settings.module.css';

/** Where the person is signed in. */
export function Devices() {
  const { t } = useTranslation('settings');
  const { data, error, isError, refetch } = useQuery(devicesQuery);
  const others = data?.items.some((one) => !one.current) ?? false;
  const end = async (id: string | undefined) => {
    await endDevice(id);
    await queries.invalidateQueries({ queryKey: devicesQuery.queryKey });
    tellDone(t('devices.ended'));
  };
  return (
    <Section
      title={t('devices.title')}
      text={t('devices.text')}
      flush
      actions={
        others && (
          <Button variant="default" size="xs" onClick={() => end(undefined).catch(tellFailure)}>
            {t('devices.endOthers')}
          </Button>
        )
      }
    >
      {isError && data === undefined && <ProblemNote error={error} retry={() => refetch()} />}
      {data === undefined && !isError && <Skeleton height={56} radius={0} />}
      <ul className={classes.rows}>
        {data?.items.map((device) => (
          <Row key={device.id} device={device} end={() => end(device.id).catch(tellFailure)} />
        ))}
      </ul>
    </Section>
  );
}

function Row({ device, end }: { device: Device; end: () => void }) {
  const { t } = useTranslation('settings');
  const format = useFormat();
  const { browser, system, phone } = readAgent(device.agent);
  const Icon = phone ? IconDeviceMobile : IconDeviceDesktop;
  const name =
    browser === undefined
      ? device.agent.slice(0, 120) || t('devices.unknown')
      : system === undefined
        ? browser
        : t('devices.on', { browser, system });
  return (
    <li className={classes.row}>
      <Icon size={20} stroke={1.5} aria-hidden />
      <Stack gap={0} className={classes.rowMain}>
        <Group gap="xs">
          <Text size="sm" className="breaks">
            {name}
          </Text>
          {device.current && (
            <Badge size="sm" variant="light">
              {t('devices.current')}
            </Badge>
          )}
        </Group>
        <Text size="xs" c="dimmed">
          {t('devices.since', { at: format.moment(device.made_at), used: format.relative(device.used_at) })}
        </Text>
      </Stack>
      {!device.current && (
        <Button
          variant="subtle"
          color="gray"
          size="compact-sm"
          onClick={end}
          aria-label={`${t('devices.end')}: ${name}`}
        >
          {t('devices.end')}
        </Button>
      )}
    </li>
  );
}

const BROWSERS = [
  [/\bEdg(?:e|A|iOS)?\//, 'Edge'],
  [/\b(?:OPR|Opera)\//, 'Opera'],
  [/\bYaBrowser\//, 'Yandex'],
  [/\bFirefox\/|\bFxiOS\//, 'Firefox'],
  [/\b(?:Headless)?Chrome\/|\bCriOS\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
] as const;
const SYSTEMS = [
  [/iPhone|iPad/, 'iOS'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/Linux|X11/, 'Linux'],
] as const;

/** What a browser says that it is, in the two words that people know. */
export function readAgent(agent: string) {
  const find = (known: readonly (readonly [RegExp, string])[]) =>
    known.find(([pattern]) => pattern.test(agent))?.[1];
  return { browser: find(BROWSERS), system: find(SYSTEMS), phone: /iPhone|Android|Mobile/.test(agent) };
}
