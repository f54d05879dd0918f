import { Checkbox, Radio, Select, SimpleGrid, Stack, Text, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useSession } from '../../shell/useSession';
import { BAD_CELLS, DATES, DECIMALS, KEYS, type Mapping, MODES, targetOf } from './mapping';

type Props = { mapping: Mapping; onChange: (mapping: Mapping) => void };

/** How the import finds contacts, whom it may touch, and how cells are read. */
export function Options({ mapping, onChange }: Props) {
  const { t } = useTranslation('imports');
  const zone = useSession()?.workspace.zone;
  const set = (patch: Record<string, unknown>) => onChange({ ...mapping, ...patch });
  const text = (key: string, usual: string) => String(mapping[key] ?? usual);
  const mapped = Object.values(mapping.columns)
    .map(targetOf)
    .flatMap((one) => (one.kind === 'field' ? [one.field] : []));
  const refused = Array.isArray(mapping.refuse) ? mapping.refuse.map(String) : [];
  const zones = zoneNames();
  return (
    <Stack gap="lg" maw={860}>
      <Radio.Group
        label={t('options.key')}
        description={t('options.keyText')}
        value={text('key', '')}
        onChange={(key) => set({ key: key === '' ? undefined : key })}
      >
        <Stack gap={6} mt={6}>
          <Radio value="" label={t('options.keyAny')} />
          {KEYS.filter((key) => mapped.includes(key)).map((key) => (
            <Radio key={key} value={key} label={t(`field.${key}`)} />
          ))}
        </Stack>
      </Radio.Group>
      <Radio.Group
        label={t('options.mode')}
        value={text('mode', 'upsert')}
        onChange={(mode) => set({ mode })}
      >
        <Stack gap={6} mt={6}>
          {MODES.map((mode) => (
            <Radio key={mode} value={mode} label={t(`mode.${mode}`)} />
          ))}
        </Stack>
      </Radio.Group>
      <div>
        <Text size="sm" fw={600} mb={6}>
          {t('options.cells')}
        </Text>
        <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
          <TextInput
            label={t('options.country')}
            description={t('options.countryText')}
            placeholder="RU"
            maxLength={2}
            value={text('country', '')}
            onChange={(event) => set({ country: event.currentTarget.value.toUpperCase() || undefined })}
          />
          <Select
            label={t('options.zone')}
            description={t('options.zoneText')}
            searchable
            limit={60}
            data={zones}
            value={text('zone', zone ?? 'UTC')}
            allowDeselect={false}
            onChange={(next) => next !== null && set({ zone: next })}
          />
          <Select
            label={t('options.dates')}
            description={t('options.datesText')}
            allowDeselect={false}
            data={DATES.map((one) => ({ value: one, label: t(`dates.${one}`) }))}
            value={text('dates', 'certain')}
            onChange={(dates) => set({ dates: dates ?? 'certain' })}
          />
          <Select
            label={t('options.decimal')}
            description={t('options.decimalText')}
            allowDeselect={false}
            data={DECIMALS.map((one) => ({ value: one, label: t(`decimal.${one}`) }))}
            value={text('decimal', 'certain')}
            onChange={(decimal) => set({ decimal: decimal ?? 'certain' })}
          />
        </SimpleGrid>
      </div>
      <Radio.Group
        label={t('options.bad')}
        value={text('bad_cells', 'refuse_row')}
        onChange={(bad_cells) => set({ bad_cells })}
      >
        <Stack gap={6} mt={6}>
          {BAD_CELLS.map((one) => (
            <Radio key={one} value={one} label={t(`bad.${one}`)} />
          ))}
        </Stack>
      </Radio.Group>
      <Checkbox.Group
        label={t('options.refuse')}
        value={refused}
        onChange={(refuse) => set({ refuse: refuse.length === 0 ? undefined : refuse })}
      >
        <Stack gap={6} mt={6}>
          <Checkbox value="disposable" label={t('refuse.disposable')} />
          <Checkbox value="role" label={t('refuse.role')} />
        </Stack>
      </Checkbox.Group>
    </Stack>
  );
}

function zoneNames(): string[] {
  const names = Intl.supportedValuesOf?.('timeZone') ?? [];
  return names.includes('UTC') ? names : ['UTC', ...names];
}
