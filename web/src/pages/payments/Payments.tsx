/**
 * What came to the bank: which invoices it paid, and what needs a person. The list stands beside the payment; the best
 * candidate is one key away, and every decision can be taken back.
 */
import { Button, Skeleton, Stack, Tabs, TextInput } from '@mantine/core';
import { useDebouncedCallback, useMediaQuery } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Empty } from '../../shared/DataList';
import { useFormat } from '../../shared/format';
import { Page } from '../../shared/Page';
import { ProblemNote } from '../../shared/ProblemNote';
import { textOf, useAddress } from '../../shared/useAddress';
import { useKeys } from '../../shared/useKeys';
import { useMay, useSession } from '../../shell/useSession';
import {
  type Counts,
  countsQuery,
  isDoubtful,
  isUndoable,
  loadPayments,
  paymentQuery,
  STATES,
  waits,
} from './api';
import { Detail } from './Detail';
import { DropAnywhere, StatementButton, StatementNotes, useStatements } from './Import';
import classes from './Payments.module.css';
import { Row } from './Row';
import { Split } from './Split';
import { useDecide } from './useDecide';
import { What } from './What';

const NARROW = '(max-width: 62em)';
const SEARCH_MS = 250;

export function Payments() {
  const { t } = useTranslation('payments');
  const may = useMay();
  const seesAll = useSession()?.sees_everyone !== false;
  const mayImport = may('import') && seesAll;
  const mayWork = may('work');
  const [address, change] = useAddress();
  const narrow = useMediaQuery(NARROW, window.matchMedia(NARROW).matches) ?? false;
  const wanted = textOf(address.state);
  const tab = STATES.find((one) => one === wanted) ?? (wanted === 'all' ? 'all' : 'unclear');
  const search = textOf(address.search);
  const [splitting, setSplitting] = useState(false);
  const statements = useStatements();
  const counts = useQuery(countsQuery);
  const decide = useDecide();

  const filters = { ...(tab === 'all' ? {} : { state: tab }), ...(search === undefined ? {} : { search }) };
  const query = useInfiniteQuery({
    queryKey: ['documents', 'payments', 'list', filters],
    queryFn: ({ pageParam, signal }) => loadPayments(filters, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    placeholderData: keepPreviousData,
  });
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const asked = textOf(address.p);
  const active = asked ?? (narrow ? undefined : rows[0]?.id);
  const index = rows.findIndex((row) => row.id === active);
  const listed = rows[index];
  // A link may lead to a payment that is not on the first page, or has another state by now.
  const alone = useQuery({
    ...paymentQuery(active ?? ''),
    enabled: active !== undefined && listed === undefined,
  });
  const payment = listed ?? (active === undefined ? undefined : alone.data);

  const open = (id: string | undefined, push = false) => {
    setSplitting(false);
    change({ p: id }, { push });
    focusRow(id);
  };
  const move = (by: number) => {
    const to = rows[Math.max(0, Math.min(rows.length - 1, index + by))];
    if (to !== undefined) {
      open(to.id);
    }
  };
  /** After a decision the next one is open. */
  const go = () => {
    const to = rows[index + 1] ?? rows[index - 1];
    open(narrow ? undefined : to?.id);
  };
  const put = (at: number, sure = false) => {
    const candidate = payment?.candidates[at];
    if (
      !mayWork ||
      payment === undefined ||
      candidate === undefined ||
      !waits(payment) ||
      (sure && isDoubtful(candidate))
    ) {
      return;
    }
    const { contact, document, number } = candidate;
    decide.assign(payment, [{ contact, document }], number);
    go();
  };
  const ignore = () => {
    if (mayWork && payment !== undefined && payment.state === 'unclear') {
      decide.ignore(payment);
      go();
    }
  };
  const undo = () => {
    if (mayWork && payment !== undefined && isUndoable(payment)) {
      decide.undo(payment);
      go();
    }
  };
  const digits = Object.fromEntries([1, 2, 3, 4, 5].map((one) => [String(one), () => put(one - 1)]));
  useKeys({
    ...digits,
    j: () => move(1),
    k: () => move(-1),
    arrowdown: () => move(1),
    arrowup: () => move(-1),
    enter: () => put(0, true),
    i: ignore,
    u: undo,
    s: () => mayWork && payment !== undefined && waits(payment) && setSplitting(true),
    escape: () => narrow && open(undefined),
  });

  const all =
    counts.data === undefined ? undefined : STATES.reduce((sum, one) => sum + (counts.data[one] ?? 0), 0);
  const lead =
    counts.data === undefined ? (
      <Skeleton height={18} width={220} />
    ) : (
      t('lead', { count: counts.data.unclear })
    );
  const isNew = all === 0 && search === undefined;
  const showsList = !narrow || active === undefined;
  return (
    <Page
      title={t('title')}
      lead={counts.isError || isNew ? t('about') : lead}
      actions={mayImport && <StatementButton statements={statements} primary={isNew} />}
    >
      {mayImport && <DropAnywhere take={statements.take} />}
      <StatementNotes
        statements={statements}
        show={() => change({ state: undefined, p: undefined, search: undefined })}
      />
      {isNew ? (
        <What mayImport={mayImport} />
      ) : (
        <>
          {showsList && (
            <States
              tab={tab}
              counts={counts.data}
              all={all}
              go={(state) => change({ state, p: undefined })}
            />
          )}
          {showsList && <SearchField value={search} set={(text) => change({ search: text, p: undefined })} />}
          {query.isError && query.data === undefined && (
            <ProblemNote error={query.error} retry={() => query.refetch()} />
          )}
          {query.isPending && <Skeleton height={360} role="status" aria-label={t('title')} />}
          {query.isSuccess && rows.length === 0 && payment === undefined && (
            <Nothing tab={tab} search={search} clear={() => change({ search: undefined })} />
          )}
          {(rows.length > 0 || payment !== undefined) && (
            <div className={classes.panes}>
              {showsList && (
                <Stack gap="xs">
                  <ul className={classes.list} aria-label={t('list')} aria-busy={query.isFetching}>
                    {rows.map((row) => (
                      <Row
                        key={row.id}
                        payment={row}
                        active={row.id === active}
                        showsState={tab === 'all'}
                        open={() => open(row.id, narrow)}
                      />
                    ))}
                  </ul>
                  {query.hasNextPage && (
                    <Button
                      variant="default"
                      size="xs"
                      loading={query.isFetchingNextPage}
                      onClick={() => query.fetchNextPage()}
                    >
                      {t('more')}
                    </Button>
                  )}
                  {query.isFetchNextPageError && (
                    <ProblemNote error={query.error} retry={() => query.fetchNextPage()} />
                  )}
                </Stack>
              )}
              {active !== undefined && payment === undefined && alone.isError && (
                <ProblemNote error={alone.error} retry={() => alone.refetch()} />
              )}
              {active !== undefined && payment === undefined && alone.isPending && <Skeleton height={320} />}
              {active !== undefined && payment !== undefined && (
                <Detail
                  payment={payment}
                  mayWork={mayWork}
                  put={put}
                  split={() => setSplitting(true)}
                  ignore={ignore}
                  undo={undo}
                  back={narrow ? () => open(undefined) : undefined}
                />
              )}
            </div>
          )}
        </>
      )}
      {splitting && payment !== undefined && (
        <Split
          payment={payment}
          close={() => setSplitting(false)}
          put={(documents, number) => {
            decide.assign(payment, documents, number);
            go();
          }}
        />
      )}
    </Page>
  );
}

/** The row may come into the document only now. */
function focusRow(id: string | undefined): void {
  if (id !== undefined) {
    requestAnimationFrame(() => {
      const row = document.querySelector<HTMLElement>(`[data-question="${CSS.escape(id)}"]`);
      row?.focus({ preventScroll: true });
      row?.scrollIntoView({ block: 'nearest' });
    });
  }
}

type StatesProps = {
  tab: string;
  counts: Counts | undefined;
  all: number | undefined;
  go: (state: string | undefined) => void;
};

function States({ tab, counts, all, go }: StatesProps) {
  const { t } = useTranslation('payments');
  const format = useFormat();
  const count = (one: (typeof STATES)[number] | 'all') => {
    const number = one === 'all' ? all : counts?.[one];
    return number === undefined ? '' : `${format.number(number)}${counts?.exact === false ? '+' : ''}`;
  };
  return (
    <Tabs value={tab} onChange={(next) => go(next === 'unclear' || next === null ? undefined : next)}>
      <Tabs.List className={classes.tabs} aria-label={t('states')}>
        {([...STATES, 'all'] as const).map((one) => (
          <Tabs.Tab
            key={one}
            value={one}
            rightSection={
              <span
                className={classes.count}
                data-waits={(one === 'unclear' && counts?.unclear) || undefined}
              >
                {count(one)}
              </span>
            }
          >
            {t(`tab.${one}`)}
          </Tabs.Tab>
        ))}
      </Tabs.List>
    </Tabs>
  );
}

function SearchField({ value, set }: { value: string | undefined; set: (text: string | undefined) => void }) {
  const { t } = useTranslation('payments');
  const [text, setText] = useState(value ?? '');
  const later = useDebouncedCallback(
    (next: string) => set(next.trim() === '' ? undefined : next.trim()),
    SEARCH_MS,
  );
  // Cleared elsewhere, or gone back to.
  useEffect(() => {
    if (value === undefined) {
      setText('');
    }
  }, [value]);
  return (
    <TextInput
      type="search"
      maw={380}
      aria-label={t('search')}
      placeholder={t('search')}
      maxLength={200}
      leftSection={<IconSearch size={16} aria-hidden />}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        later(event.currentTarget.value);
      }}
    />
  );
}

function Nothing({ tab, search, clear }: { tab: string; search: string | undefined; clear: () => void }) {
  const { t } = useTranslation('payments');
  if (search !== undefined) {
    return <Empty title={t('noneFound')} action={{ label: t('clearSearch'), run: clear }} />;
  }
  return tab === 'unclear' ? (
    <Empty title={t('nothing.title')} text={t('nothing.text')} />
  ) : (
    <Empty title={t('noneHere')} />
  );
}
