import { ActionIcon, Badge, Group, Stack, Text, Tooltip } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Column, DataList, Empty } from '../../shared/DataList';
import { ConfirmDialog } from '../../shared/editing/ConfirmDialog';
import { useFormat } from '../../shared/format';
import { Page } from '../../shared/Page';
import { tellDone, tellFailure } from '../../shared/tell';
import { useNow } from '../../shared/useNow';
import { useMay } from '../../shell/useSession';
import { imports, type Job } from './api';
import { DropFile } from './DropFile';

export const STATE_COLORS: Record<Job['state'], string> = {
  uploaded: 'blue',
  running: 'brand',
  done: 'green',
  cancelled: 'gray',
  failed: 'red',
};

export function Imports() {
  const { t } = useTranslation('imports');
  const format = useFormat();
  const now = useNow();
  const may = useMay()('import');
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [removing, setRemoving] = useState<Job>();
  const [busy, setBusy] = useState(false);
  const remove = async (job: Job) => {
    setBusy(true);
    try {
      await imports.remove(job.id);
      tellDone(t('removed', { name: job.name.slice(0, 80) }));
    } catch (error) {
      tellFailure(error);
    } finally {
      setBusy(false);
      setRemoving(undefined);
      await queries.invalidateQueries({ queryKey: ['imports'] });
    }
  };
  const columns: Column<Job>[] = [
    {
      key: 'name',
      title: t('list.file'),
      width: 'minmax(0, 2.4fr)',
      render: (row) => (
        <Text size="sm" fw={500} lineClamp={1} className="breaks">
          {row.name}
        </Text>
      ),
    },
    {
      key: 'state',
      title: t('list.state'),
      width: '150px',
      render: (row) => (
        <Badge variant="light" color={STATE_COLORS[row.state]} tt="none">
          {t(`state.${row.state}`)}
        </Badge>
      ),
    },
    ...(['created', 'updated', 'errors'] as const).map(
      (one): Column<Job> => ({
        key: one,
        title: t(`counts.${one}`),
        align: 'right',
        width: '110px',
        from: 'md',
        render: (row) => (row.state === 'uploaded' ? '' : format.number(row.counts[one])),
      }),
    ),
    {
      key: 'when',
      title: t('list.when'),
      width: '150px',
      render: (row) => format.relative(row.created_at, now),
    },
    {
      key: 'actions',
      title: '',
      width: '56px',
      align: 'right',
      render: (row) =>
        may &&
        row.state !== 'running' && (
          <Tooltip label={t('remove')}>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={t('removeOf', { name: row.name.slice(0, 80) })}
              onClick={() => setRemoving(row)}
            >
              <IconTrash size={16} />
            </ActionIcon>
          </Tooltip>
        ),
    },
  ];
  return (
    <Page title={t('title')} lead={t('lead')}>
      <Stack gap="lg">
        {may && (
          <DropFile
            onTaken={(job) => {
              queries.invalidateQueries({ queryKey: ['imports'] });
              navigate({ to: '/imports/$id', params: { id: job.id } as never });
            }}
          />
        )}
        <Stack gap="xs">
          <Group>
            <Text fw={600}>{t('past')}</Text>
          </Group>
          <DataList
            label={t('past')}
            queryKey={['imports', 'list']}
            load={(_cursor, signal) => imports.list(signal)}
            rowKey={(row) => row.id}
            columns={columns}
            onOpen={(row) => navigate({ to: '/imports/$id', params: { id: row.id } as never })}
            empty={<Empty title={t('empty.title')} text={t('empty.text')} />}
          />
        </Stack>
      </Stack>
      <ConfirmDialog
        opened={removing !== undefined}
        onClose={() => setRemoving(undefined)}
        title={t('removeTitle', { name: removing?.name.slice(0, 80) ?? '' })}
        text={t('removeText')}
        confirm={t('shell:delete')}
        isBusy={busy}
        onConfirm={() => removing !== undefined && remove(removing)}
      />
    </Page>
  );
}
