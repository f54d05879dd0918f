import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { IconPlus, IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Column, DataList, Empty } from '../../shared/DataList';
import { useFormat } from '../../shared/format';
import { Page } from '../../shared/Page';
import { textOf, useAddress } from '../../shared/useAddress';
import { useNow } from '../../shared/useNow';
import { useMay } from '../../shell/useSession';
import { type ListSummary, lists } from './api';

export function Lists() {
  const { t } = useTranslation('lists');
  const format = useFormat();
  const now = useNow();
  const may = useMay()('templates');
  const navigate = useNavigate();
  const [search, change] = useAddress();
  const [making, setMaking] = useState(false);
  const wanted = textOf(search.search)?.toLowerCase() ?? '';
  const all = useQuery({
    queryKey: ['templates', 'lists', 'all'],
    queryFn: ({ signal }) => lists.list(signal),
  });
  const columns: Column<ListSummary>[] = [
    {
      key: 'name',
      title: t('list.name'),
      width: 'minmax(0, 3fr)',
      render: (row) => (
        <div style={{ minWidth: 0 }}>
          <Text size="sm" fw={500} lineClamp={1} className="breaks">
            {row.name ?? row.id}
          </Text>
          {row.name !== undefined && row.name !== null && (
            <Text size="xs" c="dimmed" lineClamp={1} className="breaks">
              {row.id}
            </Text>
          )}
        </div>
      ),
    },
    {
      key: 'items',
      title: t('list.items'),
      align: 'right',
      width: '120px',
      render: (row) => format.number(row.items),
    },
    {
      key: 'updated',
      title: t('list.updated'),
      width: '170px',
      render: (row) => format.relative(row.updated_at, now),
    },
  ];
  return (
    <Page
      title={t('title')}
      lead={t('lead')}
      actions={
        may && (
          <Button leftSection={<IconPlus size={16} />} onClick={() => setMaking(true)}>
            {t('new.button')}
          </Button>
        )
      }
    >
      <Stack gap="sm">
        <TextInput
          size="xs"
          maw={320}
          leftSection={<IconSearch size={14} />}
          aria-label={t('list.search')}
          placeholder={t('list.search')}
          value={textOf(search.search) ?? ''}
          onChange={(event) => change({ search: event.currentTarget.value || undefined })}
        />
        <DataList
          label={t('title')}
          queryKey={['templates', 'lists', 'list', wanted]}
          load={async (_cursor, signal) => {
            const { items } = await lists.list(signal);
            return {
              items: items.filter((row) => `${row.name ?? ''} ${row.id}`.toLowerCase().includes(wanted)),
              next: null,
            };
          }}
          rowKey={(row) => row.id}
          columns={columns}
          onOpen={(row) => navigate({ to: '/lists/$id', params: { id: row.id } as never })}
          empty={
            wanted === '' ? (
              <Empty
                title={t('empty.title')}
                text={t('empty.text')}
                {...(may ? { action: { label: t('new.button'), run: () => setMaking(true) } } : {})}
              />
            ) : (
              <Empty title={t('empty.search')} />
            )
          }
        />
      </Stack>
      <NewList
        opened={making}
        onClose={() => setMaking(false)}
        taken={(all.data?.items ?? []).map((one) => one.id)}
      />
    </Page>
  );
}

type NewProps = { opened: boolean; onClose: () => void; taken: readonly string[] };

function NewList({ opened, onClose, taken }: NewProps) {
  const { t } = useTranslation('lists');
  const navigate = useNavigate();
  const [id, setId] = useState('');
  const [name, setName] = useState('');
  const isGood = /^[a-z0-9_-]{1,64}$/.test(id);
  const problem =
    id === '' ? undefined : !isGood ? t('new.badId') : taken.includes(id) ? t('new.taken') : undefined;
  return (
    <Modal opened={opened} onClose={onClose} title={t('new.button')}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isGood && problem === undefined) {
            onClose();
            navigate({
              to: '/lists/$id',
              params: { id } as never,
              search: { start: 'list', ...(name === '' ? {} : { name }) },
            });
          }
        }}
      >
        <Stack gap="md">
          <TextInput
            label={t('new.id')}
            description={t('new.idText')}
            value={id}
            error={problem}
            onChange={(event) => setId(event.currentTarget.value.trim().toLowerCase().replace(/\s+/g, '-'))}
            data-autofocus
          />
          <TextInput
            label={t('new.name')}
            value={name}
            maxLength={256}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              {t('shell:cancel')}
            </Button>
            <Button type="submit" disabled={!isGood || problem !== undefined}>
              {t('new.go')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
