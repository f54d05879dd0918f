import { Button, Group, Stack, Text } from '@mantine/core';
import { IconBooks, IconPlus } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { type Column, DataList, Empty } from '../../shared/DataList';
import { useFormat } from '../../shared/format';
import { Page } from '../../shared/Page';
import { textOf, useAddress } from '../../shared/useAddress';
import { useMay } from '../../shell/useSession';
import { type JourneySummary, journeys } from './calls';
import { LifeMenu } from './life/LifeMenu';
import { StatusBadge } from './life/StatusBadge';
import { Lately } from './list/Lately';
import { Library } from './list/Library';
import { NewJourney } from './list/NewJourney';

export function Journeys() {
  const { t } = useTranslation('journeys');
  const format = useFormat();
  const may = useMay();
  const mayWrite = may('journeys');
  const navigate = useNavigate();
  const [search, setSearch] = useAddress();
  const isNew = textOf(search.new) !== undefined;
  const isLibrary = textOf(search.library) !== undefined;
  const columns = useMemo(
    (): Column<JourneySummary>[] => [
      {
        key: 'name',
        title: t('list.name'),
        width: 'minmax(200px, 2.4fr)',
        render: (row) => (
          <Stack gap={0} style={{ minWidth: 0 }}>
            <Text size="sm" fw={600} className="breaks" lineClamp={2}>
              {row.name ?? row.id}
            </Text>
            <Text size="xs" c="dimmed" truncate>
              {row.id}
            </Text>
          </Stack>
        ),
      },
      {
        key: 'status',
        title: t('list.status'),
        width: 'minmax(130px, 1fr)',
        render: (row) => (
          <Group gap={6}>
            <StatusBadge status={row.status} />
            {row.drafted_at !== null && row.newest !== null && (
              <Text size="xs" c="dimmed">
                {t('list.draft', { when: format.relative(row.drafted_at) })}
              </Text>
            )}
          </Group>
        ),
      },
      {
        key: 'version',
        title: t('list.version'),
        align: 'right',
        width: '90px',
        render: (row) => row.current ?? row.newest ?? '–',
      },
      {
        key: 'runs',
        title: t('list.runs'),
        align: 'right',
        width: '110px',
        render: (row) => format.number(row.live_runs),
      },
      {
        key: 'lately',
        title: t('list.lately'),
        width: 'minmax(180px, 1.6fr)',
        from: 'md',
        render: (row) => <Lately journey={row} />,
      },
      {
        key: 'published',
        title: t('list.published'),
        width: 'minmax(110px, 0.8fr)',
        from: 'md',
        render: (row) => <Text size="xs">{format.relative(row.published_at)}</Text>,
      },
      ...(mayWrite
        ? [
            {
              key: 'menu',
              title: '',
              width: '52px',
              align: 'right' as const,
              render: (row: JourneySummary) => (
                // biome-ignore lint/a11y/noStaticElementInteractions: it keeps keys of the menu from the list
                <div onKeyDown={(event) => event.stopPropagation()}>
                  <LifeMenu shown={row} size="sm" />
                </div>
              ),
            },
          ]
        : []),
    ],
    [t, format, mayWrite],
  );
  return (
    <Page
      title={t('title')}
      lead={t('lead')}
      actions={
        mayWrite && (
          <Group gap="xs">
            <Button
              variant="default"
              leftSection={<IconBooks size={16} aria-hidden />}
              onClick={() => setSearch({ library: true })}
            >
              {t('library.button')}
            </Button>
            <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setSearch({ new: true })}>
              {t('new.button')}
            </Button>
          </Group>
        )
      }
    >
      <DataList
        label={t('title')}
        queryKey={['journeys', 'list']}
        load={journeys}
        rowKey={(row) => row.id}
        columns={columns}
        onOpen={(row) => navigate({ to: '/journeys/$id', params: { id: row.id } })}
        empty={
          <Empty
            title={t('empty.title')}
            text={t('empty.text')}
            {...(mayWrite
              ? { action: { label: t('library.title'), run: () => setSearch({ library: true }) } }
              : {})}
          />
        }
      />
      {isLibrary && mayWrite && (
        <Library
          close={() => setSearch({ library: undefined })}
          own={() => setSearch({ library: undefined, new: true })}
        />
      )}
      {isNew && mayWrite && <NewJourney close={() => setSearch({ new: undefined })} />}
    </Page>
  );
}
