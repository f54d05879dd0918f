/** A zone of the world, found by its name or its city, with the time that it is there. */
import { Group, Select, Text } from '@mantine/core';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useNow } from '../../../shared/useNow';

/** Zones shown at once; the rest by typing. */
const ZONES_SHOWN_MAX = 60;

type Props = {
  label: string;
  description?: string;
  value: string;
  onChange: (zone: string) => void;
  error?: string | undefined;
  /** A first choice that is no zone. */
  none?: { value: string; label: string };
};

export function ZoneField({ label, description, value, onChange, error, none }: Props) {
  const { t, i18n } = useTranslation('settings');
  const now = useNow();
  const zones = useMemo(() => {
    const all = [value, 'UTC', ...Intl.supportedValuesOf('timeZone')];
    return [...new Set(all)].filter((zone) => zone !== '');
  }, [value]);
  return (
    <Select
      label={label}
      description={description}
      data={[
        ...(none === undefined ? [] : [none]),
        ...zones.map((zone) => ({ value: zone, label: zone.replaceAll('_', ' ') })),
      ]}
      value={value}
      onChange={(zone) => onChange(zone ?? value)}
      searchable
      selectFirstOptionOnChange
      limit={ZONES_SHOWN_MAX}
      // Sixty clocks that nobody sees would be told anew at every letter of the form around.
      comboboxProps={{ keepMounted: false }}
      allowDeselect={false}
      nothingFoundMessage={t('nothingFound')}
      error={error}
      renderOption={({ option }) => (
        <Group justify="space-between" wrap="nowrap" w="100%" gap="sm">
          <Text size="sm" className="breaks">
            {option.label}
          </Text>
          <Text size="xs" c="dimmed" className="numbers" style={{ flex: 'none' }}>
            {timeIn(option.value, i18n.language, now)}
          </Text>
        </Group>
      )}
    />
  );
}

/** The time there, and how far it is from UTC; nothing where the browser does not know the zone. */
export function timeIn(zone: string, language: string, now: number): string {
  try {
    return new Intl.DateTimeFormat(language, {
      timeZone: zone,
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
      timeZoneName: 'shortOffset',
    }).format(now);
  } catch {
    return '';
  }
}
