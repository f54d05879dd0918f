import { Button, Menu, Skeleton, Stack } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ConfirmDialog } from '../../shared/editing/ConfirmDialog';
import { useFormat } from '../../shared/format';
import { Page } from '../../shared/Page';
import { ProblemNote } from '../../shared/ProblemNote';
import { tellFailure } from '../../shared/tell';
import { useNow } from '../../shared/useNow';
import { useMay } from '../../shell/useSession';
import { imports, type Job } from './api';
import { Prepare } from './Prepare';
import { Progress } from './Progress';

/** How often a running import is asked for; the news of the server tell of its end. */
const RUNNING_MS = 1_000;

export function Import() {
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const query = useQuery({
    queryKey: ['imports', id, 'shown'],
    queryFn: ({ signal }) => imports.show(id, signal),
    refetchInterval: (own) => (own.state.data?.state === 'running' ? RUNNING_MS : false),
  });
  if (query.data !== undefined) {
    return <Opened key={id} job={query.data} />;
  }
  return (
    <Page title={id}>
      {query.isError ? (
        <ProblemNote error={query.error} retry={() => query.refetch()} />
      ) : (
        <Stack gap="sm" aria-hidden>
          <Skeleton height={36} width={280} />
          <Skeleton height={320} />
        </Stack>
      )}
    </Page>
  );
}

function Opened({ job }: { job: Job }) {
  const { t, i18n } = useTranslation('imports');
  const format = useFormat();
  const now = useNow();
  const may = useMay()('import');
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [removing, setRemoving] = useState(false);
  const remove = useMutation({
    mutationFn: () => imports.remove(job.id),
    onSuccess: async () => {
      navigate({ to: '/imports' });
      await queries.invalidateQueries({ queryKey: ['imports'] });
    },
    onError: (error) => {
      setRemoving(false);
      tellFailure(error);
    },
  });
  return (
    <Page
      title={job.name}
      lead={t('lead1', {
        size: sizeOf(job.bytes.of, i18n.language),
        columns: job.file.heads.length,
        when: format.relative(job.created_at, now),
      })}
      actions={
        may &&
        job.state !== 'running' && (
          <Menu position="bottom-end">
            <Menu.Target>
              <Button variant="default" px="xs" aria-label={t('more')}>
                <IconDots size={16} />
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item color="red" onClick={() => setRemoving(true)}>
                {t('remove')}
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )
      }
    >
      {job.state === 'uploaded' ? <Prepare job={job} /> : <Progress job={job} mayChange={may} />}
      <ConfirmDialog
        opened={removing}
        onClose={() => setRemoving(false)}
        title={t('removeTitle', { name: job.name.slice(0, 80) })}
        text={t('removeText')}
        confirm={t('shell:delete')}
        isBusy={remove.isPending}
        onConfirm={() => remove.mutate()}
      />
    </Page>
  );
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;

/** Bytes as people read them. */
export function sizeOf(bytes: number, language: string): string {
  let value = bytes;
  let at = 0;
  while (value >= 1024 && at < UNITS.length - 1) {
    value /= 1024;
    at++;
  }
  const digits = value < 10 && at > 0 ? 1 : 0;
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: UNITS[at] ?? 'byte',
    maximumFractionDigits: digits,
  }).format(value);
}
