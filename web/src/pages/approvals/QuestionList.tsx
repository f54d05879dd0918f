import { Badge, Box, Button, Checkbox, Group, Text, UnstyledButton } from '@mantine/core';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../shared/format';
import { daysBetween, useNow, useToday } from '../../shared/useNow';
import { companyOf, nameOf } from '../contacts/people';
import classes from './Approvals.module.css';
import { aboutOf, type Client, type Question } from './api';

const CLIENT_PX = 41;
const QUESTION_PX = 74;
/** Questions are read ahead when so few rows are left below. */
const AHEAD_ROWS = 20;

type Row = { key: string; client: Client; question?: Question };

type Props = {
  clients: Client[];
  active: string | undefined;
  open: (id: string) => void;
  selected: ReadonlySet<string>;
  /** Left out where the person may not answer. */
  select: ((ids: string[], on: boolean) => void) | undefined;
  /** Approves all of a client; left out where the person may not. */
  approve: ((client: Client) => void) | undefined;
  /** Reads more, when there are more. */
  more: (() => void) | undefined;
};

/** Questions, those of a client together; only the rows that are seen stand in the document. */
export function QuestionList({ clients, active, open, selected, select, approve, more }: Props) {
  const { t } = useTranslation('approvals');
  const list = useRef<HTMLUListElement>(null);
  const [offset, setOffset] = useState(0);
  const rows = useMemo<Row[]>(
    () =>
      clients.flatMap((client) => [
        { key: client.key, client },
        ...client.questions.map((question) => ({ key: question.id, client, question })),
      ]),
    [clients],
  );
  useLayoutEffect(() => {
    const place = () => setOffset((list.current?.getBoundingClientRect().top ?? 0) + window.scrollY);
    place();
    window.addEventListener('resize', place);
    return () => window.removeEventListener('resize', place);
  }, []);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: (index) => (rows[index]?.question === undefined ? CLIENT_PX : QUESTION_PX),
    overscan: 10,
    scrollMargin: offset,
    getItemKey: (index) => rows[index]?.key ?? index,
    // A test's document has no size: it shows the first rows.
    initialRect: { width: 400, height: 800 },
  });
  const shown = virtual.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= rows.length - AHEAD_ROWS) {
      more?.();
    }
  }, [last, rows.length, more]);

  const at = rows.findIndex((row) => row.question !== undefined && row.question.id === active);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the page follows when another question becomes the active one, not when rows come in
  useEffect(() => {
    if (at >= 0) {
      virtual.scrollToIndex(at, { align: 'auto' });
    }
  }, [active]);

  return (
    <ul ref={list} className={classes.list} style={{ height: virtual.getTotalSize() }} aria-label={t('list')}>
      {shown.map((item) => {
        const row = rows[item.index];
        if (row === undefined) {
          return null;
        }
        return (
          <li
            key={item.key}
            data-index={item.index}
            ref={virtual.measureElement}
            className={classes.item}
            style={{ transform: `translateY(${item.start - virtual.options.scrollMargin}px)` }}
          >
            {row.question === undefined ? (
              <ClientRow client={row.client} selected={selected} select={select} approve={approve} />
            ) : (
              <QuestionRow
                question={row.question}
                active={row.question.id === active}
                open={open}
                selected={selected.has(row.question.id)}
                select={select}
              />
            )}
          </li>
        );
      })}
    </ul>
  );
}

function ClientRow({
  client,
  selected,
  select,
  approve,
}: Pick<Props, 'selected' | 'select' | 'approve'> & { client: Client }) {
  const { t } = useTranslation('approvals');
  const ids = client.questions.map((one) => one.id);
  const chosen = ids.filter((id) => selected.has(id)).length;
  return (
    <div className={classes.client}>
      {select !== undefined && (
        <Checkbox
          size="xs"
          aria-label={t('selectClient', { name: client.name })}
          checked={chosen === ids.length}
          indeterminate={chosen > 0 && chosen < ids.length}
          onChange={(event) => select(ids, event.currentTarget.checked)}
        />
      )}
      <Text size="sm" fw={600} truncate title={client.name} style={{ flex: 1, minWidth: 0 }}>
        {client.name}
      </Text>
      {approve !== undefined && ids.length > 1 && (
        <Button size="compact-xs" variant="subtle" onClick={() => approve(client)}>
          {t('approveClient', { count: ids.length })}
        </Button>
      )}
    </div>
  );
}

type QuestionProps = {
  question: Question;
  active: boolean;
  open: (id: string) => void;
  selected: boolean;
  select: Props['select'];
};

function QuestionRow({ question, active, open, selected, select }: QuestionProps) {
  const { t } = useTranslation('approvals');
  const format = useFormat();
  const now = useNow();
  const about = aboutOf(question);
  const name = nameOf(question.to);
  const label = useLabel(question);
  return (
    <div className={classes.question} data-active={active || undefined}>
      {select !== undefined && (
        <Checkbox
          size="xs"
          mt={2}
          aria-label={t('select', { name: `${label}, ${name}` })}
          checked={selected}
          onChange={(event) => select([question.id], event.currentTarget.checked)}
        />
      )}
      <UnstyledButton
        className={classes.open}
        data-question={question.id}
        aria-current={active || undefined}
        onClick={() => open(question.id)}
      >
        <Group justify="space-between" wrap="nowrap" gap="xs">
          <Text size="sm" fw={500} truncate>
            {label}
          </Text>
          <Text size="sm" className="numbers" style={{ whiteSpace: 'nowrap' }}>
            {format.amount(about.amount, about.currency)}
          </Text>
        </Group>
        <Group justify="space-between" wrap="nowrap" gap="xs">
          <Text size="xs" c="dimmed" truncate>
            {companyOf(question.to.traits) === undefined ? question.template : name}
          </Text>
          <DueBadge due={about.due} kind={about.kind} />
        </Group>
        <Text size="xs" c="dimmed" truncate>
          {t(`lapses.${question.lapse}`, { when: format.relative(question.expires_at, now) })}
        </Text>
      </UnstyledButton>
    </div>
  );
}

/** What a question is about, in a few words. */
export function useLabel(question: Question): string {
  const { t, i18n } = useTranslation('approvals');
  const about = aboutOf(question);
  if (about.number === undefined) {
    return question.template;
  }
  const kind = `kind.${about.kind}`;
  return i18n.exists(kind, { ns: 'approvals' }) ? t(kind, { number: about.number }) : about.number;
}

/** How long an invoice is overdue, or until when an offer stands. */
export function DueBadge({ due, kind }: { due: string | undefined; kind: string | undefined }) {
  const { t } = useTranslation('approvals');
  const days = daysBetween(due, useToday());
  if (days === undefined) {
    return null;
  }
  const late = days > 0;
  const words =
    kind === 'offer' ? (late ? 'ended' : 'valid') : late ? 'overdue' : days === 0 ? 'dueToday' : 'due';
  return (
    <Badge
      size="sm"
      radius="sm"
      variant="light"
      color={late && kind !== 'offer' ? 'red' : 'gray'}
      tt="none"
      fw={500}
      style={{ flex: 'none' }}
    >
      <Box component="span" className="numbers">
        {t(words, { count: Math.abs(days) })}
      </Box>
    </Badge>
  );
}
