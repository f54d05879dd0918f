import { Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answer, api } from '../api/client';
import { useMay, useSession } from '../shell/useSession';

const FRESH_MS = 300_000;

type Props = {
  value: string | undefined;
  set: (owner: string | undefined) => void;
};

/** Whose: mine, nobody's, or somebody's; an address that is no user's may be typed. */
export function OwnerSelect({ value, set }: Props) {
  const { t } = useTranslation('shell');
  const own = useSession()?.user?.address;
  const may = useMay();
  const [typed, setTyped] = useState('');
  const { data } = useQuery({
    queryKey: ['users', 'owners'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/users', { signal })),
    enabled: may('users'),
    staleTime: FRESH_MS,
  });
  const users = (data?.items ?? []).filter((user) => user.address !== own);
  const known = new Set(['me', 'none', ...users.map((user) => user.address)]);
  const others = [value, typed.includes('@') ? typed.trim() : undefined].flatMap((one) =>
    one === undefined || known.has(one) ? [] : [one],
  );
  return (
    <Select
      size="xs"
      w={190}
      clearable
      searchable
      aria-label={t('owner.label')}
      placeholder={t('owner.label')}
      data={[
        { value: 'me', label: t('owner.me') },
        { value: 'none', label: t('owner.none') },
        ...users.map((user) => ({ value: user.address, label: user.name ?? user.address })),
        ...[...new Set(others)].map((one) => ({ value: one, label: one })),
      ]}
      value={value ?? null}
      onSearchChange={setTyped}
      onChange={(owner) => set(owner ?? undefined)}
    />
  );
}
