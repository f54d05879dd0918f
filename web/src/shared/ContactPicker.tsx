/** Chooses a contact by the beginning of a name, an address, a telephone number or an id. */
import { Combobox, InputBase, Loader, Text, useCombobox } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from './call';

export type PickedContact = { id: string; name: string };

type Props = {
  label: string;
  placeholder: string;
  /** What stands where nobody is found. */
  nobody: string;
  value: PickedContact | undefined;
  onChange: (contact: PickedContact | undefined) => void;
  hideLabel?: boolean;
};

type Found = { items: { id: string; traits?: Record<string, unknown> }[] };

const PAUSE_MS = 200;
const SHOWN = 8;

export function ContactPicker({ label, placeholder, nobody, value, onChange, hideLabel = false }: Props) {
  const [text, setText] = useState<string>();
  const combobox = useCombobox({ onDropdownClose: () => setText(undefined) });
  const [search] = useDebouncedValue(text?.trim() ?? '', PAUSE_MS);
  const found = useQuery({
    queryKey: ['contacts', 'picker', search],
    queryFn: ({ signal }) =>
      call<Found>('GET', '/api/v1/contacts', {
        params: { query: { limit: SHOWN, ...(search === '' ? {} : { search }) } },
        signal,
      }),
    enabled: combobox.dropdownOpened,
  });
  const people = (found.data?.items ?? []).map((one) => ({ ...who(one.traits), id: one.id }));
  return (
    <Combobox
      store={combobox}
      onOptionSubmit={(id) => {
        const chosen = people.find((one) => one.id === id);
        onChange(chosen === undefined ? undefined : { id, name: chosen.name ?? chosen.address ?? id });
        combobox.closeDropdown();
      }}
    >
      <Combobox.Target>
        <InputBase
          size="xs"
          label={hideLabel ? undefined : label}
          aria-label={label}
          placeholder={placeholder}
          value={text ?? value?.name ?? ''}
          onChange={(event) => {
            setText(event.currentTarget.value);
            combobox.openDropdown();
            combobox.resetSelectedOption();
            if (event.currentTarget.value === '') {
              onChange(undefined);
            }
          }}
          onFocus={(event) => event.currentTarget.select()}
          onClick={() => combobox.openDropdown()}
          onBlur={() => combobox.closeDropdown()}
          rightSection={found.isFetching ? <Loader size={12} /> : <Combobox.Chevron size="xs" />}
          rightSectionPointerEvents="none"
        />
      </Combobox.Target>
      <Combobox.Dropdown>
        <Combobox.Options aria-label={label}>
          {people.map((one) => (
            <Combobox.Option key={one.id} value={one.id}>
              <Text size="sm" lineClamp={1} className="breaks">
                {one.name ?? one.address ?? one.id}
              </Text>
              <Text size="xs" c="dimmed" lineClamp={1} className="breaks">
                {[one.name === undefined ? undefined : one.address, one.id].filter(Boolean).join(' · ')}
              </Text>
            </Combobox.Option>
          ))}
          {people.length === 0 && !found.isFetching && <Combobox.Empty>{nobody}</Combobox.Empty>}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}

/** How people know a contact, by its traits. */
export function who(traits: Record<string, unknown> | undefined): { name?: string; address?: string } {
  const text = (...names: string[]) =>
    names.map((name) => traits?.[name]).find((one): one is string => typeof one === 'string' && one !== '');
  const parts = [text('first_name', 'firstName'), text('last_name', 'lastName')].filter(
    (one): one is string => one !== undefined,
  );
  const name = text('name') ?? (parts.length > 0 ? parts.join(' ') : undefined);
  const address = text('email', 'phone');
  return { ...(name === undefined ? {} : { name }), ...(address === undefined ? {} : { address }) };
}
