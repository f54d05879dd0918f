import { Badge, Button, Group, Progress, Stack, Tabs, Text, TextInput } from '@mantine/core';
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
import { allSegments, type SegmentSummary } from './api';
import { NewSegment } from './NewSegment';
import { Rfm } from './Rfm';

const SORTS = ['name', 'members', 'updated'] as const;
type SortBy = (typeof SORTS)[number];
const TABS = ['all', 'grades', 'rfm'] as const;

export function Segments() {
  const { t } = useTranslation('segments');
  const format = useFormat();
  const now = useNow();
  const may = useMay()('segments');
  const navigate = useNavigate();
  const [search, change] = useAddress();
  const [making, setMaking] = useState(false);
  const tab = TABS.find((one) => one === textOf(search.tab)) ?? 'all';
  const wanted = textOf(search.search)?.toLowerCase() ?? '';
  const by = SORTS.find((one) => one === textOf(search.sort)) ?? 'name';
  const order = textOf(search.order) === 'desc' ? 'desc' : 'asc';
  const all = useQuery({ queryKey: ['segments', 'all'], queryFn: ({ signal }) => allSegments(signal) });
  const columns: Column<SegmentSummary>[] = [
    {
      key: 'name',
      title: t('list.name'),
      sort: 'name',
      width: 'minmax(0, 3fr)',
      render: (row) => (
        <div style={{ minWidth: 0 }}>
          <Text size="sm" fw={500} lineClamp={1} className="breaks">
            {row.name ?? row.id}
          </Text>
          {row.name !== undefined && row.name !== row.id && (
            <Text size="xs" c="dimmed" lineClamp={1} className="breaks">
              {row.id}
            </Text>
          )}
        </div>
      ),
    },
    {
      key: 'kind',
      title: t('list.kind'),
      from: 'md',
      width: '230px',
      render: (row) => <Kind row={row} />,
    },
    {
      key: 'members',
      title: t('list.members'),
      sort: 'members',
      align: 'right',
      width: '120px',
      render: (row) => format.number(row.members),
    },
    { key: 'state', title: t('list.state'), width: '190px', render: (row) => <State row={row} /> },
    {
      key: 'updated',
      title: t('list.updated'),
      sort: 'updated',
      from: 'md',
      width: '150px',
      render: (row) => format.relative(row.updated_at, now),
    },
  ];
  const load = async (_cursor: string | undefined, signal: AbortSignal) => {
    const rows = (await allSegments(signal)).filter(
      (row) =>
        (tab !== 'grades' || row.sets !== undefined) &&
        (wanted === '' || `${row.name ?? ''} ${row.id}`.toLowerCase().includes(wanted)),
    );
    return { items: sorted(rows, by, order), next: null };
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
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(next) =>
          change({ tab: next === 'all' || next === null ? undefined : next }, { push: true })
        }
      >
        <Tabs.List mb="md">
          {TABS.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {t(`tabs.${one}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="rfm">
          <Rfm />
        </Tabs.Panel>
      </Tabs>
      {tab !== 'rfm' && (
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
          {tab === 'grades' && <Text size="sm">{t('tabs.gradesLead')}</Text>}
          <DataList
            label={t('title')}
            queryKey={['segments', 'list', tab, wanted, by, order]}
            load={load}
            rowKey={(row) => row.id}
            columns={columns}
            sort={{ by, order }}
            onSort={(next) => change({ sort: next.by, order: next.order })}
            onOpen={(row) => navigate({ to: '/segments/$id', params: { id: row.id } as never })}
            empty={
              wanted === '' ? (
                <Empty
                  title={t(tab === 'grades' ? 'empty.grades' : 'empty.title')}
                  text={t(tab === 'grades' ? 'empty.gradesText' : 'empty.text')}
                  {...(may ? { action: { label: t('new.button'), run: () => setMaking(true) } } : {})}
                />
              ) : (
                <Empty title={t('empty.search')} />
              )
            }
          />
        </Stack>
      )}
      <NewSegment
        opened={making}
        onClose={() => setMaking(false)}
        taken={(all.data ?? []).map((one) => one.id)}
      />
    </Page>
  );
}

function sorted(rows: SegmentSummary[], by: SortBy, order: 'asc' | 'desc'): SegmentSummary[] {
  const compare = (one: SegmentSummary, other: SegmentSummary) => {
    switch (by) {
      case 'name':
        return (one.name ?? one.id).localeCompare(other.name ?? other.id);
      case 'members':
        return one.members - other.members;
      case 'updated':
        return (one.updated_at ?? '').localeCompare(other.updated_at ?? '');
    }
  };
  return [...rows].sort((one, other) => (order === 'asc' ? compare(one, other) : compare(other, one)));
}

function Kind({ row }: { row: SegmentSummary }) {
  const { t } = useTranslation('segments');
  const [set] = Object.entries(row.sets ?? {});
  return (
    <Group gap={6} wrap="nowrap">
      <Text size="sm" style={{ whiteSpace: 'nowrap' }}>
        {t(row.kind === 'list' ? 'kind.list' : 'kind.condition')}
      </Text>
      {set !== undefined && (
        <Badge
          variant="light"
          tt="none"
          style={{ flex: 'none' }}
          maw={140}
          title={t('kind.sets', { name: set[0], value: String(set[1]) })}
        >
          {set[0]} = {String(set[1])}
        </Badge>
      )}
    </Group>
  );
}

function State({ row }: { row: SegmentSummary }) {
  const { t } = useTranslation('segments');
  const format = useFormat();
  if (row.state !== 'building' || row.progress === undefined) {
    return (
      <Text size="sm" c="dimmed">
        {t('state.ready')}
      </Text>
    );
  }
  const label = t('state.building', { share: format.share(row.progress.share) });
  return (
    <Stack gap={3} style={{ minWidth: 0, width: '100%' }}>
      <Text size="xs">{label}</Text>
      <Progress value={row.progress.share * 100} size="xs" aria-label={label} />
    </Stack>
  );
}
