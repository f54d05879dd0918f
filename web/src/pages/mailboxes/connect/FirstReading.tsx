import { Alert, Anchor, Button, Group, Stack, Text } from '@mantine/core';
import { IconCircleCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useMay } from '../../../shell/useSession';
import { mailboxesQuery } from '../calls';
import { Reading } from '../Row';
import { isReading } from '../state';

/** The mailbox is connected: how far the first reading is, and what comes next. */
export function FirstReading({ address, close }: { address: string; close: () => void }) {
  const { t } = useTranslation('mailboxes');
  const may = useMay();
  const { data } = useQuery(mailboxesQuery);
  const box = data?.items.find((one) => one.address.toLowerCase() === address.toLowerCase());
  const isDone = box !== undefined && !isReading(box);
  const isBad = box?.state === 'failing' || box?.state === 'login_refused';
  return (
    <Stack gap="md">
      <Group gap="sm" wrap="nowrap">
        <IconCircleCheck
          size={26}
          color="var(--mantine-color-green-6)"
          style={{ flex: 'none' }}
          aria-hidden
        />
        <Text fw={600} className="breaks">
          {t('first.connected', { address })}
        </Text>
      </Group>
      {isBad ? (
        <Alert color="red" variant="light" role="alert">
          {t(`remedy.${box.failure?.code ?? box.state}`, { defaultValue: t(`remedy.${box.state}`) })}
        </Alert>
      ) : isDone ? (
        <Text size="sm">{t('first.done', { count: box.seen })}</Text>
      ) : (
        <Stack gap="xs">
          <Text size="sm">{t('first.text')}</Text>
          {box !== undefined && <Reading box={box} />}
        </Stack>
      )}
      <Stack gap={6}>
        <Text size="sm" fw={600}>
          {t('first.next')}
        </Text>
        <Text size="sm">
          <Anchor href={`/recognition?mailbox=${encodeURIComponent(address)}`} size="sm" underline="always">
            {t('first.try')}
          </Anchor>{' '}
          <Text span size="sm" c="dimmed">
            {t('first.tryText')}
          </Text>
        </Text>
        <Text size="sm">
          <Anchor component={Link} to="/journeys" size="sm" underline="always">
            {t(may('journeys') ? 'first.journeys' : 'first.journeysSee')}
          </Anchor>{' '}
          <Text span size="sm" c="dimmed">
            {t('first.journeysText')}
          </Text>
        </Text>
      </Stack>
      <Group justify="flex-end">
        <Button onClick={close} data-autofocus>
          {t('first.close')}
        </Button>
      </Group>
    </Stack>
  );
}
