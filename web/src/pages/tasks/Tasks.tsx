/** What people have to do: what is late, then today's, then the rest; the contact stands beside. */
import { Group, SegmentedControl, Skeleton } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Page } from '../../shared/Page';
import { ProblemNote } from '../../shared/ProblemNote';
import { useAddress } from '../../shared/useAddress';
import { useMay, useSession } from '../../shell/useSession';
import { loadTasks } from './api';
import { TaskList } from './TaskList';

export function Tasks() {
  const { t } = useTranslation('tasks');
  const may = useMay();
  const mine = useSession();
  const [address, change] = useAddress();
  // A salesperson sees their own; whoever leads or looks after everyone may look at all.
  const mayAll = mine?.user?.role !== 'salesperson';
  const whose = mayAll && address.whose === 'all' ? 'all' : 'mine';
  const state = address.state === 'done' ? 'done' : 'open';
  const filters = { state, sort: 'due', ...(whose === 'mine' ? { assignee: 'me' } : {}) };
  const query = useInfiniteQuery({
    queryKey: ['tasks', 'list', filters],
    queryFn: ({ pageParam, signal }) => loadTasks(filters, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
  });
  return (
    <Page
      title={t('title')}
      actions={
        <Group gap="xs">
          {mayAll && (
            <SegmentedControl
              size="xs"
              aria-label={t('whose')}
              value={whose}
              onChange={(next) => change({ whose: next === 'all' ? 'all' : undefined, task: undefined })}
              data={[
                { value: 'mine', label: t('mine') },
                { value: 'all', label: t('all') },
              ]}
            />
          )}
          <SegmentedControl
            size="xs"
            aria-label={t('state')}
            value={state}
            onChange={(next) => change({ state: next === 'done' ? 'done' : undefined, task: undefined })}
            data={[
              { value: 'open', label: t('open') },
              { value: 'done', label: t('doneList') },
            ]}
          />
        </Group>
      }
    >
      {query.isPending ? (
        <Skeleton role="status" height={320} aria-label={t('title')} />
      ) : query.isError && query.data === undefined ? (
        <ProblemNote error={query.error} retry={() => query.refetch()} />
      ) : (
        <TaskList
          tasks={query.data?.pages.flatMap((page) => page.items) ?? []}
          isDone={state === 'done'}
          showsAssignee={whose === 'all'}
          mayWork={may('work')}
          offerAll={mayAll && whose === 'mine' ? () => change({ whose: 'all' }) : undefined}
          more={query.hasNextPage ? () => query.fetchNextPage() : undefined}
          isLoadingMore={query.isFetchingNextPage}
        />
      )}
    </Page>
  );
}
