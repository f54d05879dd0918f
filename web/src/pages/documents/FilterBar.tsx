import { Button, Chip, CloseButton, Group, Popover, Select, Stack, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconCalendar, IconSearch } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../shared/format';
import { OwnerSelect } from '../../shared/OwnerSelect';
import type { ChangeAddress } from '../../shared/useAddress';
import { useToday } from '../../shared/useNow';
import { useSession } from '../../shell/useSession';
import { type Filters, KINDS, STATES } from './api';
import { keptOf, only } from './filters';

const TYPING_MS = 250;

type Props = {
  filters: Filters;
  currencies: string[];
  change: ChangeAddress;
};

/** What the list shows; all of it stands in the address. */
export function FilterBar({ filters, currencies, change }: Props) {
  const { t } = useTranslation('documents');
  const states = filters.state?.split(',') ?? [];
  const isFiltered = Object.keys(filters).length > 0;
  const seesOthers = useSession()?.user?.role !== 'salesperson';
  return (
    <Stack gap="xs">
      <Group gap="xs">
        <SearchBox
          value={filters.search ?? ''}
          set={(search) => change({ search: search === '' ? undefined : search })}
        />
        <Chip
          size="xs"
          color="red.9"
          checked={filters.overdue === true}
          onChange={(on) => change({ overdue: on ? true : undefined })}
        >
          {t('filter.overdue')}
        </Chip>
        <Chip.Group
          multiple
          value={states}
          onChange={(next) => change({ state: next.length === 0 ? undefined : next.join(',') })}
        >
          {STATES.map((state) => (
            <Chip key={state} value={state} size="xs">
              {t(`state.${state}`)}
            </Chip>
          ))}
        </Chip.Group>
      </Group>
      <Group gap="xs">
        <Select
          size="xs"
          w={150}
          clearable
          aria-label={t('filter.kind')}
          placeholder={t('filter.kind')}
          data={KINDS.map((kind) => ({ value: kind, label: t(`kind.${kind}`) }))}
          value={filters.kind ?? null}
          onChange={(kind) => change({ kind: kind ?? undefined })}
        />
        {seesOthers && <OwnerSelect value={filters.owner} set={(owner) => change({ owner })} />}
        {(currencies.length > 1 || filters.currency !== undefined) && (
          <Select
            size="xs"
            w={120}
            clearable
            aria-label={t('filter.currency')}
            placeholder={t('filter.currency')}
            data={[
              ...new Set([...currencies, ...(filters.currency === undefined ? [] : [filters.currency])]),
            ]}
            value={filters.currency ?? null}
            onChange={(currency) => change({ currency: currency ?? undefined })}
          />
        )}
        <Period from={filters.from} to={filters.to} set={(from, to) => change({ from, to })} />
        {isFiltered && (
          <Button
            size="xs"
            variant="subtle"
            color="gray"
            onClick={() => change({ ...only(keptOf({})), view: undefined })}
          >
            {t('filter.clear')}
          </Button>
        )}
      </Group>
    </Stack>
  );
}

/** A text that waits until the typing pauses. */
function useTyped(
  value: string,
  set: (value: string) => void,
): [string, (text: string, now?: boolean) => void] {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const later = useDebouncedCallback(set, TYPING_MS);
  return [
    text,
    (typed, now = false) => {
      setText(typed);
      now ? set(typed) : later(typed);
    },
  ];
}

function SearchBox({ value, set }: { value: string; set: (value: string) => void }) {
  const { t } = useTranslation('documents');
  const [text, type] = useTyped(value, set);
  return (
    <TextInput
      size="xs"
      w={{ base: '100%', xs: 260 }}
      type="search"
      aria-label={t('filter.search')}
      placeholder={t('filter.search')}
      leftSection={<IconSearch size={14} aria-hidden />}
      rightSection={
        text !== '' && (
          <CloseButton size="xs" aria-label={t('filter.clearSearch')} onClick={() => type('', true)} />
        )
      }
      value={text}
      onChange={(event) => type(event.currentTarget.value)}
    />
  );
}

type PeriodProps = {
  from: string | undefined;
  to: string | undefined;
  set: (from: string | undefined, to: string | undefined) => void;
};

/** When the documents were issued. */
function Period({ from, to, set }: PeriodProps) {
  const { t } = useTranslation('documents');
  const format = useFormat();
  const today = useToday();
  const [opened, setOpened] = useState(false);
  const month = today.slice(0, 7);
  const days = (count: number) => new Date(Date.parse(today) - count * 86_400_000).toISOString().slice(0, 10);
  const before = new Date(Date.parse(`${month}-01`) - 86_400_000).toISOString().slice(0, 10);
  const ready = [
    { name: 'thisMonth', from: `${month}-01`, to: undefined },
    { name: 'lastMonth', from: `${before.slice(0, 7)}-01`, to: before },
    { name: 'days90', from: days(90), to: undefined },
  ] as const;
  const isSet = from !== undefined || to !== undefined;
  const label = isSet
    ? `${from === undefined ? '…' : format.day(from)} – ${to === undefined ? '…' : format.day(to)}`
    : t('filter.period');
  return (
    <Popover opened={opened} onChange={setOpened} trapFocus shadow="md">
      <Popover.Target>
        <Button
          size="xs"
          variant={isSet ? 'light' : 'default'}
          leftSection={<IconCalendar size={14} aria-hidden />}
          onClick={() => setOpened(!opened)}
        >
          {label}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="xs">
          <Group gap={6}>
            {ready.map((one) => (
              <Button
                key={one.name}
                size="compact-xs"
                variant="light"
                onClick={() => {
                  set(one.from, one.to);
                  setOpened(false);
                }}
              >
                {t(`filter.${one.name}`)}
              </Button>
            ))}
          </Group>
          <Group gap="xs">
            <TextInput
              size="xs"
              type="date"
              label={t('filter.from')}
              value={from ?? ''}
              onChange={(event) => set(event.currentTarget.value || undefined, to)}
            />
            <TextInput
              size="xs"
              type="date"
              label={t('filter.to')}
              value={to ?? ''}
              onChange={(event) => set(from, event.currentTarget.value || undefined)}
            />
          </Group>
          {isSet && (
            <Button size="compact-xs" variant="subtle" color="gray" onClick={() => set(undefined, undefined)}>
              {t('filter.anyTime')}
            </Button>
          )}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
