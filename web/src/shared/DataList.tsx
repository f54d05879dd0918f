/**
 * A list of any length: pages by cursor as the reader scrolls, sorted and filtered by the server, a window of rows in
 * the document. By keyboard: j and k or the arrows go through the rows, Enter opens, x selects. On a phone each row is a card.
 *
 * It knows nothing of what it lists.
 */
import {
  Box,
  Button,
  Center,
  Checkbox,
  Group,
  Loader,
  Skeleton,
  Stack,
  Text,
  UnstyledButton,
  VisuallyHidden,
} from '@mantine/core';
import { IconArrowDown, IconArrowsSort, IconArrowUp } from '@tabler/icons-react';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import {
  type KeyboardEvent,
  type ReactNode,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { useTranslation } from 'react-i18next';
import classes from './DataList.module.css';
import { ProblemNote } from './ProblemNote';

/** Rows are read ahead when so few are left below. */
const AHEAD_ROWS = 15;
const ROW_PX = 45;
const CARD_PX = 120;

export type Column<Row> = {
  key: string;
  title: string;
  render: (row: Row) => ReactNode;
  /** The server's name of this order; without it the column cannot be sorted by. */
  sort?: string;
  width?: string;
  align?: 'right';
  /** Left out where the page is narrower. */
  from?: 'md' | 'lg';
};

export type Sort = { by: string; order: 'asc' | 'desc' };

export type Selection = {
  has: (key: string) => boolean;
  toggle: (key: string) => void;
  /** All that are loaded, or none. */
  all: (keys: string[], on: boolean) => void;
};

type Props<Row> = {
  /** What is listed, for whoever does not see the page. */
  label: string;
  /** Its first part is a topic (see live.ts). */
  queryKey: readonly unknown[];
  load: (
    cursor: string | undefined,
    signal: AbortSignal,
  ) => Promise<{ items: readonly Row[]; next?: string | null }>;
  rowKey: (row: Row) => string;
  columns: Column<Row>[];
  sort?: Sort | undefined;
  onSort?: ((sort: Sort) => void) | undefined;
  onOpen?: ((row: Row) => void) | undefined;
  selection?: Selection | undefined;
  /** How a row is called, for its box of selection. */
  rowLabel?: ((row: Row) => string) | undefined;
  /** In place of the rows when there are none. */
  empty: ReactNode;
};

export function DataList<Row>(props: Props<Row>) {
  const { t } = useTranslation('shell');
  const { label, queryKey, load, rowKey, columns, sort, onSort, onOpen, selection, rowLabel, empty } = props;
  const query = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam, signal }) => load(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    placeholderData: keepPreviousData,
  });
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const body = useRef<HTMLDivElement>(null);
  const [offset, setOffset] = useState(0);
  const narrow = useNarrow();
  useLayoutEffect(() => {
    const place = () => setOffset((body.current?.getBoundingClientRect().top ?? 0) + window.scrollY);
    place();
    window.addEventListener('resize', place);
    return () => window.removeEventListener('resize', place);
  }, []);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => (narrow ? CARD_PX : ROW_PX),
    overscan: 8,
    scrollMargin: offset,
    getItemKey: (index) => {
      const row = rows[index];
      return row === undefined ? index : rowKey(row);
    },
  });
  const shown = virtual.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && last >= rows.length - AHEAD_ROWS) {
      fetchNextPage();
    }
  }, [hasNextPage, isFetchingNextPage, fetchNextPage, last, rows.length]);

  const [active, setActive] = useState(0);
  const focusRow = (index: number) => {
    const to = Math.max(0, Math.min(index, rows.length - 1));
    setActive(to);
    virtual.scrollToIndex(to, { align: 'auto' });
    // The row may come into the document only now.
    requestAnimationFrame(() => body.current?.querySelector<HTMLElement>(`[data-index="${to}"]`)?.focus());
  };
  const press = (event: KeyboardEvent<HTMLElement>) => {
    const isRow = event.target instanceof HTMLElement && event.target.matches('[data-index]');
    if (!isRow || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const row = rows[active];
    const step = stepOf(event.key, active, rows.length);
    if (step !== undefined) {
      focusRow(step);
    } else if (event.key === 'Enter' && row !== undefined) {
      onOpen?.(row);
    } else if ((event.key === 'x' || event.key === ' ') && row !== undefined) {
      selection?.toggle(rowKey(row));
    } else {
      return;
    }
    event.preventDefault();
  };

  if (query.isError && query.data === undefined) {
    return <ProblemNote error={query.error} retry={() => query.refetch()} />;
  }
  if (query.isSuccess && rows.length === 0 && !hasNextPage && !query.isPlaceholderData) {
    return empty;
  }
  const widths = `${selection === undefined ? '' : '40px '}${columns.map((one) => one.width ?? 'minmax(0, 1fr)').join(' ')}`;
  const keys = rows.map(rowKey);
  const chosen = selection === undefined ? 0 : keys.filter(selection.has).length;
  return (
    <Box
      role="table"
      aria-label={label}
      aria-rowcount={hasNextPage ? -1 : rows.length + 1}
      aria-busy={query.isFetching}
      className={classes.table}
      data-stale={query.isPlaceholderData || undefined}
      style={{ '--columns': widths }}
    >
      <div role="rowgroup" className={classes.head}>
        <div role="row" className={classes.row}>
          {selection !== undefined && (
            <div role="columnheader" className={classes.cell}>
              <Checkbox
                size="xs"
                aria-label={t('list.selectAll')}
                checked={chosen > 0 && chosen === rows.length}
                indeterminate={chosen > 0 && chosen < rows.length}
                onChange={(event) => selection.all(keys, event.currentTarget.checked)}
              />
            </div>
          )}
          {columns.map((column) => (
            <Head key={column.key} column={column} sort={sort} onSort={onSort} />
          ))}
        </div>
      </div>
      <div
        role="rowgroup"
        ref={body}
        onKeyDown={press}
        style={{ position: 'relative', height: query.isPending ? undefined : virtual.getTotalSize() }}
      >
        {query.isPending && <Waiting />}
        {shown.map((item) => {
          const row = rows[item.index];
          if (row === undefined) {
            return null;
          }
          const key = rowKey(row);
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: keys are taken by the group of rows
            <div
              key={item.key}
              role="row"
              aria-rowindex={item.index + 2}
              aria-selected={selection === undefined ? undefined : selection.has(key)}
              data-index={item.index}
              ref={virtual.measureElement}
              tabIndex={item.index === Math.min(active, rows.length - 1) ? 0 : -1}
              className={classes.row}
              data-opens={onOpen !== undefined || undefined}
              style={{ transform: `translateY(${item.start - virtual.options.scrollMargin}px)` }}
              onFocus={() => setActive(item.index)}
              onClick={(event) => {
                const inner =
                  event.target instanceof Element && event.target.closest('a, button, input, label');
                if (!inner && window.getSelection()?.isCollapsed !== false) {
                  onOpen?.(row);
                }
              }}
            >
              {selection !== undefined && (
                <div role="cell" className={classes.cell}>
                  <Checkbox
                    size="xs"
                    aria-label={t('list.select', { name: rowLabel?.(row) ?? key })}
                    checked={selection.has(key)}
                    onChange={() => selection.toggle(key)}
                  />
                </div>
              )}
              {columns.map((column) => (
                <div
                  key={column.key}
                  role="cell"
                  className={classes.cell}
                  data-align={column.align}
                  data-from={column.from}
                  data-title={column.title}
                >
                  {column.render(row)}
                </div>
              ))}
            </div>
          );
        })}
      </div>
      {isFetchingNextPage && (
        <Center p="sm">
          <Loader role="status" size="sm" aria-label={t('list.more')} />
        </Center>
      )}
      {query.isFetchNextPageError && (
        <Box p="sm">
          <ProblemNote error={query.error} retry={() => query.fetchNextPage()} />
        </Box>
      )}
    </Box>
  );
}

/** Which row a key goes to; `undefined` when it is no key of movement. */
function stepOf(key: string, active: number, rows: number): number | undefined {
  switch (key) {
    case 'j':
    case 'ArrowDown':
      return active + 1;
    case 'k':
    case 'ArrowUp':
      return active - 1;
    case 'Home':
      return 0;
    case 'End':
      return rows - 1;
    default:
      return undefined;
  }
}

function Head<Row>({
  column,
  sort,
  onSort,
}: {
  column: Column<Row>;
  sort: Sort | undefined;
  onSort: ((sort: Sort) => void) | undefined;
}) {
  const { t } = useTranslation('shell');
  const by = column.sort;
  const isOn = by !== undefined && sort?.by === by;
  const direction = isOn ? (sort.order === 'asc' ? 'ascending' : 'descending') : undefined;
  const Icon = isOn ? (sort.order === 'asc' ? IconArrowUp : IconArrowDown) : IconArrowsSort;
  return (
    <div
      role="columnheader"
      aria-sort={by === undefined ? undefined : (direction ?? 'none')}
      className={classes.cell}
      data-align={column.align}
      data-from={column.from}
    >
      {by === undefined || onSort === undefined ? (
        column.title
      ) : (
        <UnstyledButton
          className={classes.sort}
          onClick={() => onSort({ by, order: isOn && sort.order === 'desc' ? 'asc' : 'desc' })}
        >
          {column.title}
          <Icon size={13} aria-hidden data-on={isOn || undefined} />
          <VisuallyHidden>{t('list.sort')}</VisuallyHidden>
        </UnstyledButton>
      )}
    </div>
  );
}

function Waiting() {
  return (
    <Stack gap={1} aria-hidden>
      {[0, 1, 2, 3, 4, 5].map((one) => (
        <Skeleton key={one} height={ROW_PX - 1} radius={0} />
      ))}
    </Stack>
  );
}

const NARROW = '(max-width: 48em)';

function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(() => window.matchMedia(NARROW).matches);
  useEffect(() => {
    const media = window.matchMedia(NARROW);
    const change = () => setNarrow(media.matches);
    media.addEventListener('change', change);
    return () => media.removeEventListener('change', change);
  }, []);
  return narrow;
}

type EmptyProps = { title: string; text?: string; action?: { label: string; run: () => void } };

/** What stands where there is nothing yet: why, and what to do about it. */
export function Empty({ title, text, action }: EmptyProps) {
  return (
    <Center py={56} px="md">
      <Stack align="center" gap="xs" maw={460}>
        <Text fw={600} ta="center">
          {title}
        </Text>
        {text !== undefined && (
          <Text c="dimmed" size="sm" ta="center">
            {text}
          </Text>
        )}
        {action !== undefined && (
          <Group>
            <Button onClick={action.run}>{action.label}</Button>
          </Group>
        )}
      </Stack>
    </Center>
  );
}
