import { Badge, Button, Group, Stack, Text, TextInput } from '@mantine/core';
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
import { type TemplateSummary, templates } from './api';
import { languageName } from './files';
import { NewTemplate } from './NewTemplate';

export function Templates() {
  const { t, i18n } = useTranslation('templates');
  const format = useFormat();
  const now = useNow();
  const may = useMay()('templates');
  const navigate = useNavigate();
  const [search, change] = useAddress();
  const [making, setMaking] = useState(false);
  const wanted = textOf(search.search)?.toLowerCase() ?? '';
  const by = textOf(search.sort) === 'updated' ? 'updated' : 'name';
  const order = textOf(search.order) === 'desc' ? 'desc' : 'asc';
  const all = useQuery({ queryKey: ['templates', 'all'], queryFn: ({ signal }) => templates.list(signal) });
  const columns: Column<TemplateSummary>[] = [
    {
      key: 'name',
      title: t('list.name'),
      sort: 'name',
      width: 'minmax(0, 2fr)',
      render: (row) => (
        <Text size="sm" fw={500} lineClamp={1} className="breaks">
          {row.id}
        </Text>
      ),
    },
    {
      key: 'form',
      title: t('list.form'),
      width: '150px',
      render: (row) => row.forms.map((form) => t(`form.${form}`, { defaultValue: form })).join(', '),
    },
    {
      key: 'languages',
      title: t('list.languages'),
      width: 'minmax(0, 1.4fr)',
      render: (row) => (
        <Group gap={4}>
          {row.languages.map((tag) => (
            <Badge key={tag} variant="default" tt="none" fw={400}>
              {tag === '' ? t('anyLanguage') : languageName(tag, i18n.language)}
            </Badge>
          ))}
        </Group>
      ),
    },
    {
      key: 'used',
      title: t('list.used'),
      from: 'md',
      width: 'minmax(0, 1.6fr)',
      render: (row) => (
        <Text size="sm" c="dimmed" lineClamp={1} className="breaks">
          {row.used_by.length === 0 ? t('list.unused') : row.used_by.join(', ')}
        </Text>
      ),
    },
    {
      key: 'updated',
      title: t('list.updated'),
      sort: 'updated',
      width: '150px',
      render: (row) => format.relative(row.updated_at, now),
    },
  ];
  const load = async (_cursor: string | undefined, signal: AbortSignal) => {
    const { items } = await templates.list(signal);
    const found = items.filter((row) => `${row.id} ${row.used_by.join(' ')}`.toLowerCase().includes(wanted));
    const compare = (one: TemplateSummary, other: TemplateSummary) =>
      by === 'name' ? one.id.localeCompare(other.id) : one.updated_at.localeCompare(other.updated_at);
    found.sort((one, other) => (order === 'asc' ? compare(one, other) : compare(other, one)));
    return { items: found, next: null };
  };
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
          queryKey={['templates', 'list', wanted, by, order]}
          load={load}
          rowKey={(row) => row.id}
          columns={columns}
          sort={{ by, order }}
          onSort={(next) => change({ sort: next.by, order: next.order })}
          onOpen={(row) => navigate({ to: '/templates/$id', params: { id: row.id } as never })}
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
      <NewTemplate
        opened={making}
        onClose={() => setMaking(false)}
        taken={(all.data?.items ?? []).map((one) => one.id)}
      />
    </Page>
  );
}
