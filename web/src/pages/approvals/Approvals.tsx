/**
 * Questions that wait for a person: which messages are to go. The list stands beside the message; every answer is one
 * key, can be taken back for some seconds, and leads to the next question.
 */
import { Button, Group, Menu, Skeleton, Stack, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconChevronDown } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Empty } from '../../shared/DataList';
import { useFormat } from '../../shared/format';
import { Page } from '../../shared/Page';
import { ProblemNote } from '../../shared/ProblemNote';
import { textOf, useAddress } from '../../shared/useAddress';
import { useKeys } from '../../shared/useKeys';
import { useNow, waitingQuery } from '../../shared/useNow';
import { useMay } from '../../shell/useSession';
import { nameOf } from '../contacts/people';
import classes from './Approvals.module.css';
import { aboutOf, byClient, type Client, loadQuestion, loadQuestions, nextQuery } from './api';
import { type Bulk, BulkAll, saying } from './BulkAll';
import { Message } from './Message';
import type { Word } from './outbox';
import { QuestionList } from './QuestionList';
import { Tray } from './Tray';
import { useOutbox } from './useOutbox';

/** More than so many at once are asked about first, and show how far they are. */
const UNDONE_MAX = 50;
const NARROW = '(max-width: 48em)';

export function Approvals() {
  const { t } = useTranslation('approvals');
  const may = useMay();
  const mayAnswer = may('approve');
  const [address, change] = useAddress();
  const [outbox, state] = useOutbox();
  const queries = useQueryClient();
  const narrow = useMediaQuery(NARROW, window.matchMedia(NARROW).matches) ?? false;
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [editing, setEditing] = useState(false);
  const [bulk, setBulk] = useState<Bulk>();

  const query = useInfiniteQuery({
    queryKey: ['approvals', 'list'],
    queryFn: ({ pageParam, signal }) => loadQuestions(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
  });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const clients = useMemo(() => {
    const all = query.data?.pages.flatMap((page) => page.items) ?? [];
    return byClient(all.filter((one) => !state.gone.has(one.id)));
  }, [query.data, state.gone]);
  const order = useMemo(() => clients.flatMap((client) => client.questions), [clients]);
  const waiting = useWaiting(order.length, hasNextPage);

  const wanted = textOf(address.q);
  const isOpen = wanted !== undefined && !state.gone.has(wanted);
  const active = isOpen ? wanted : narrow ? undefined : order[0]?.id;
  const index = order.findIndex((one) => one.id === active);
  const open = useCallback(
    (id: string | undefined, push = false) => {
      setEditing(false);
      change({ q: id }, { push });
    },
    [change],
  );
  // What comes next is read ahead: an answer leads to it at once.
  const next = order[index + 1]?.id;
  useEffect(() => {
    if (next !== undefined) {
      queries.prefetchQuery({
        queryKey: ['approvals', 'one', next],
        queryFn: ({ signal }) => loadQuestion(next, signal),
      });
    }
  }, [next, queries]);

  const after = (ids: ReadonlySet<string>) => {
    const left = (one: { id: string }) => !ids.has(one.id);
    return order.slice(index + 1).find(left)?.id ?? order.slice(0, Math.max(0, index)).findLast(left)?.id;
  };
  const say = (ids: string[], word: Word) => {
    if (!mayAnswer || ids.length === 0) {
      return;
    }
    if (ids.length > UNDONE_MAX) {
      setBulk({ word, ids, count: ids.length });
      return;
    }
    const all = new Set(ids);
    const only = ids.length === 1 ? order.find((one) => one.id === ids[0]) : undefined;
    const label = only === undefined ? '' : `${aboutOf(only).number ?? only.template}, ${nameOf(only.to)}`;
    const to = active !== undefined && all.has(active) ? after(all) : active;
    outbox.add(
      ids.map((id) => saying(id, word)),
      label,
    );
    setSelected((before) => new Set([...before].filter((id) => !all.has(id))));
    open(to);
    focusQuestion(to);
  };
  const undo = (key?: number) => {
    const bundle = outbox.undo(key);
    const first = bundle?.said[0]?.id;
    if (first !== undefined) {
      open(first);
      focusQuestion(first);
    }
  };
  const move = (by: number) => {
    const to = order[Math.max(0, Math.min(order.length - 1, index + by))]?.id;
    if (to !== undefined) {
      open(to);
      focusQuestion(to);
    }
  };
  const select = (ids: string[], on: boolean) =>
    setSelected((before) => {
      const all = new Set(before);
      for (const id of ids) {
        on ? all.add(id) : all.delete(id);
      }
      return all;
    });
  const one = active === undefined ? [] : [active];
  const chosen = order.map((question) => question.id).filter((id) => selected.has(id));
  useKeys(
    bulk !== undefined
      ? {}
      : {
          j: () => move(1),
          k: () => move(-1),
          arrowdown: () => move(1),
          arrowup: () => move(-1),
          a: () => say(one, 'approve'),
          enter: () => say(one, 'approve'),
          s: () => say(one, 'skip'),
          c: () => say(one, 'call'),
          e: () => active !== undefined && mayAnswer && setEditing(true),
          x: () => active !== undefined && mayAnswer && select(one, !selected.has(active)),
          u: () => undo(),
          'Shift+A': () => say(chosen, 'approve'),
          escape: () => (chosen.length > 0 ? setSelected(new Set()) : narrow && open(undefined)),
        },
  );

  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) {
      fetchNextPage();
    }
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const answerClient = (client: Client) =>
    say(
      client.questions.map((question) => question.id),
      'approve',
    );
  const answerAll = (word: Word) =>
    hasNextPage
      ? setBulk({ word, count: waiting })
      : say(
          order.map((question) => question.id),
          word,
        );

  const tray = <Tray state={state} undo={undo} retry={() => outbox.flush()} />;
  if (query.isError && query.data === undefined) {
    return (
      <Page title={t('title')}>
        <ProblemNote error={query.error} retry={() => query.refetch()} />
      </Page>
    );
  }
  if (query.isPending) {
    return (
      <Page title={t('title')} lead={<Skeleton height={18} width={220} />}>
        <Skeleton role="status" height={420} aria-label={t('title')} />
      </Page>
    );
  }
  if (order.length === 0 && !isOpen) {
    return (
      <Page title={t('title')}>
        <Nothing reading={query.isFetching && hasNextPage} />
        {tray}
      </Page>
    );
  }
  const showsList = !narrow || active === undefined;
  return (
    <Page
      title={t('title')}
      lead={t(mayAnswer ? 'lead' : 'others', { count: waiting })}
      actions={
        mayAnswer &&
        showsList &&
        order.length > 0 && (
          <BulkActions
            chosen={chosen.length}
            say={(word) => say(chosen, word)}
            all={answerAll}
            clear={() => setSelected(new Set())}
          />
        )
      }
    >
      <div className={classes.panes}>
        {showsList && (
          <Stack gap="xs">
            <QuestionList
              clients={clients}
              active={active}
              open={(id) => open(id, narrow)}
              selected={selected}
              select={mayAnswer ? select : undefined}
              approve={mayAnswer ? answerClient : undefined}
              more={hasNextPage ? more : undefined}
            />
            {query.isFetchNextPageError && <ProblemNote error={query.error} retry={() => fetchNextPage()} />}
          </Stack>
        )}
        {active !== undefined && (
          <Message
            id={active}
            mayAnswer={mayAnswer}
            editing={editing}
            setEditing={(on) => {
              setEditing(on);
              if (!on) {
                focusQuestion(active);
              }
            }}
            answer={(word) => say(one, word)}
            back={narrow ? () => open(undefined) : undefined}
          />
        )}
      </div>
      {tray}
      {bulk !== undefined && (
        <BulkAll
          bulk={bulk}
          gone={state.gone}
          close={() => {
            setBulk(undefined);
            setSelected(new Set());
            for (const topic of ['approvals', 'overview', 'documents', 'tasks']) {
              queries.invalidateQueries({ queryKey: [topic] });
            }
          }}
          answered={(ids) => outbox.answered(ids)}
        />
      )}
    </Page>
  );
}

/** The row comes into the document only now. */
function focusQuestion(id: string | undefined): void {
  if (id !== undefined) {
    const row = () => document.querySelector<HTMLElement>(`[data-question="${CSS.escape(id)}"]`);
    requestAnimationFrame(() => requestAnimationFrame(() => row()?.focus({ preventScroll: true })));
  }
}

/** How many wait: as many as are listed, or what the server counted when not all are read. */
function useWaiting(listed: number, more: boolean): number {
  const { data } = useQuery(waitingQuery);
  return more ? Math.max(listed, data?.waiting?.approvals?.count ?? 0) : listed;
}

type BulkProps = {
  chosen: number;
  say: (word: Word) => void;
  all: (word: Word) => void;
  clear: () => void;
};

function BulkActions({ chosen, say, all, clear }: BulkProps) {
  const { t } = useTranslation('approvals');
  if (chosen > 0) {
    return (
      <Group gap="xs" role="toolbar" aria-label={t('selected', { count: chosen })}>
        <Text size="sm">{t('selected', { count: chosen })}</Text>
        <Button size="sm" onClick={() => say('approve')}>
          {t('approve')}
          <kbd className={classes.key}>⇧A</kbd>
        </Button>
        <Button size="sm" variant="default" onClick={() => say('skip')}>
          {t('skip')}
        </Button>
        <Button size="sm" variant="default" onClick={() => say('call')}>
          {t('call')}
        </Button>
        <Button size="sm" variant="subtle" color="gray" onClick={clear}>
          {t('clear')}
        </Button>
      </Group>
    );
  }
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button size="sm" variant="default" rightSection={<IconChevronDown size={14} aria-hidden />}>
          {t('all')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => all('approve')}>{t('allApprove')}</Menu.Item>
        <Menu.Item onClick={() => all('skip')}>{t('allSkip')}</Menu.Item>
        <Menu.Item onClick={() => all('call')}>{t('allCall')}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

/** Nothing waits, and when the next reminder is due. */
function Nothing({ reading }: { reading: boolean }) {
  const { t } = useTranslation('approvals');
  const format = useFormat();
  const now = useNow();
  const { data } = useQuery(nextQuery);
  const at = data?.find((one) => Date.parse(one) > now);
  if (reading) {
    return <Skeleton height={420} />;
  }
  const when =
    at === undefined
      ? ''
      : ` ${t('nothing.next', { when: format.relative(at, now), at: format.moment(at) })}`;
  return <Empty title={t('nothing.title')} text={`${t('nothing.text')}${when}`} />;
}
