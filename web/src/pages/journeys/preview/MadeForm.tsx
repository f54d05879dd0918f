import {
  ActionIcon,
  Autocomplete,
  Button,
  Fieldset,
  Group,
  NumberInput,
  Stack,
  Textarea,
  TextInput,
} from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { EVENTS } from '../model/complete';
import type { Made, MadeEvent } from './made';

type Props = { made: Made; change: (made: Made) => void; wrong: string | undefined };

/** Somebody who does not exist, and what happens to them. */
export function MadeForm({ made, change, wrong }: Props) {
  const { t } = useTranslation('journeys');
  const set = (patch: Partial<Made>) => change({ ...made, ...patch });
  const setEvent = (key: number, patch: Partial<MadeEvent>) =>
    set({ events: made.events.map((one) => (one.key === key ? { ...one, ...patch } : one)) });
  const error = (field: string) => (wrong === field ? t('preview.notJson') : undefined);
  return (
    <Stack gap="xs">
      <Group gap="xs" grow>
        <TextInput
          size="xs"
          label={t('preview.name')}
          value={made.name}
          onChange={(event) => set({ name: event.currentTarget.value })}
        />
        <TextInput
          size="xs"
          label={t('preview.email')}
          value={made.email}
          onChange={(event) => set({ email: event.currentTarget.value })}
        />
      </Group>
      <TextInput
        size="xs"
        label={t('preview.zone')}
        value={made.zone}
        placeholder={'Europe/Berlin'}
        onChange={(event) => set({ zone: event.currentTarget.value })}
      />
      <Textarea
        size="xs"
        label={t('preview.traits')}
        placeholder={'{"plan": "pro"}'}
        autosize
        minRows={1}
        maxRows={6}
        value={made.traits}
        error={error('traits')}
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
        onChange={(event) => set({ traits: event.currentTarget.value })}
      />
      {made.events.map((event) => (
        <Fieldset key={event.key} p="xs" legend={t('preview.event')} fz="xs">
          <Stack gap={6}>
            <Group gap={6} wrap="nowrap" align="flex-end">
              <Autocomplete
                size="xs"
                label={t('field.event')}
                data={[...EVENTS]}
                value={event.name}
                onChange={(name) => setEvent(event.key, { name })}
                style={{ flex: 1 }}
              />
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={t('preview.removeEvent', { name: event.name })}
                onClick={() => set({ events: made.events.filter((one) => one.key !== event.key) })}
              >
                <IconTrash size={15} aria-hidden />
              </ActionIcon>
            </Group>
            <Group gap={6} grow>
              <NumberInput
                size="xs"
                label={t('preview.day')}
                min={-365}
                max={1_000}
                value={event.day}
                onChange={(day) => setEvent(event.key, { day: Number(day) || 0 })}
              />
              <TextInput
                size="xs"
                type="time"
                label={t('field.clock')}
                value={event.time}
                onChange={(change) => setEvent(event.key, { time: change.currentTarget.value })}
              />
            </Group>
            <Textarea
              size="xs"
              label={t('preview.properties')}
              placeholder="{}"
              autosize
              minRows={1}
              maxRows={8}
              value={event.properties}
              error={error(event.name)}
              styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
              onChange={(change) => setEvent(event.key, { properties: change.currentTarget.value })}
            />
          </Stack>
        </Fieldset>
      ))}
      <Button
        size="compact-xs"
        variant="subtle"
        leftSection={<IconPlus size={13} aria-hidden />}
        style={{ alignSelf: 'start' }}
        onClick={() => {
          const key = Math.max(0, ...made.events.map((one) => one.key)) + 1;
          const day = Math.max(0, ...made.events.map((one) => one.day)) + 1;
          set({ events: [...made.events, { key, name: 'Replied', day, time: '10:00', properties: '' }] });
        }}
      >
        {t('preview.addEvent')}
      </Button>
    </Stack>
  );
}
