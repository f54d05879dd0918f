import { Button, Center, Drawer, Stack, Text, Title } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Empty } from '../../shared/DataList';
import { textOf, useAddress } from '../../shared/useAddress';
import { useKeys } from '../../shared/useKeys';
import { civilDay, useToday } from '../../shared/useNow';
import { useSession } from '../../shell/useSession';
import type { Task } from '../documents/api';
import { dayAfter, type Part, partOf } from './api';
import { Beside } from './Beside';
import { TaskRow } from './TaskRow';
import classes from './Tasks.module.css';
import { useTaskActions } from './useTaskActions';

const NARROW = '(max-width: 62em)';
const OPEN_PARTS = ['overdue', 'today', 'later'] as const;

type Props = {
  tasks: Task[];
  isDone: boolean;
  showsAssignee: boolean;
  mayWork: boolean;
  offerAll: (() => void) | undefined;
  more: (() => void) | undefined;
  isLoadingMore: boolean;
};

/** Tasks in their parts, by keyboard: j and k move, d is done, p postpones, Enter opens the contact. */
export function TaskList({ tasks, isDone, showsAssignee, mayWork, offerAll, more, isLoadingMore }: Props) {
  const { t } = useTranslation('tasks');
  const [address, change] = useAddress();
  const today = useToday();
  const zone = useSession()?.workspace.zone;
  const narrow = useMediaQuery(NARROW, window.matchMedia(NARROW).matches) ?? false;
  const actions = useTaskActions();
  const [postponing, setPostponing] = useState<string>();

  const parts = useMemo(() => {
    const left = tasks.filter((task) => !actions.gone.has(task.id));
    if (isDone) {
      return [{ part: 'done' as Part, items: left }];
    }
    const dayOf = (at: string) => civilDay(Date.parse(at), zone);
    return OPEN_PARTS.map((part) => ({
      part: part as Part,
      items: left.filter((task) => partOf(task, today, dayOf) === part),
    })).filter(({ items }) => items.length > 0);
  }, [tasks, actions.gone, isDone, today, zone]);
  const order = parts.flatMap(({ items }) => items);
  const wanted = textOf(address.task);
  const active = order.find((task) => task.id === wanted) ?? (narrow ? undefined : order[0]);
  const index = active === undefined ? -1 : order.indexOf(active);

  const open = (task: Task | undefined, push = false) => {
    change({ task: task?.id }, { push });
    if (task !== undefined) {
      focusTask(task.id);
    }
  };
  /** What is done makes room for the next. */
  const leave = (task: Task, act: (task: Task) => void) => {
    const at = order.indexOf(task);
    const next = order[at + 1] ?? order[at - 1];
    act(task);
    if (!narrow) {
      open(next);
    }
  };
  const move = (by: number) => open(order[Math.max(0, Math.min(order.length - 1, index + by))]);
  const onActive = (act: (task: Task) => void) => () => active !== undefined && mayWork && act(active);
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    arrowdown: () => move(1),
    arrowup: () => move(-1),
    d: onActive((task) => leave(task, isDone ? actions.reopen : actions.done)),
    p: onActive((task) => !isDone && setPostponing(task.id)),
    1: onActive((task) => !isDone && leave(task, (one) => actions.postpone(one, dayAfter(today, 1)))),
    7: onActive((task) => !isDone && leave(task, (one) => actions.postpone(one, dayAfter(today, 7)))),
  });

  if (order.length === 0 && more === undefined) {
    return isDone ? (
      <Empty title={t('noneDone')} />
    ) : (
      <Empty
        title={t('none.title')}
        text={t('none.text')}
        {...(offerAll === undefined ? {} : { action: { label: t('showAll'), run: offerAll } })}
      />
    );
  }
  return (
    <div className={classes.panes}>
      <Stack gap="lg">
        {parts.map(({ part, items }) => (
          <section key={part} aria-label={t(`part.${part}`)}>
            <Title order={2} fz="sm" mb={6} c={part === 'overdue' ? 'var(--relance-late)' : undefined}>
              {t(`part.${part}`)}{' '}
              <Text span c="dimmed" fz="sm" fw={400}>
                {items.length}
              </Text>
            </Title>
            <ul className={classes.list}>
              {items.map((task) => (
                <TaskRow
                  key={task.id}
                  task={task}
                  part={part}
                  active={task.id === active?.id}
                  showsAssignee={showsAssignee}
                  mayWork={mayWork}
                  open={() => open(task, narrow)}
                  done={() => leave(task, actions.done)}
                  reopen={() => leave(task, actions.reopen)}
                  postpone={(until) => leave(task, (one) => actions.postpone(one, until))}
                  postponing={postponing === task.id}
                  setPostponing={(on) => setPostponing(on ? task.id : undefined)}
                />
              ))}
            </ul>
          </section>
        ))}
        {more !== undefined && (
          <Center>
            <Button variant="subtle" size="compact-sm" loading={isLoadingMore} onClick={more}>
              {t('more')}
            </Button>
          </Center>
        )}
        {mayWork && !narrow && (
          <Text size="xs" c="dimmed">
            {t(isDone ? 'keysDone' : 'keys')}
          </Text>
        )}
      </Stack>
      {narrow ? (
        <Drawer
          closeButtonProps={{ 'aria-label': t('close') }}
          opened={active !== undefined}
          onClose={() => open(undefined)}
          position="right"
          size="100%"
          title={active?.title}
        >
          {active !== undefined && <Beside key={active.contact} task={active} />}
        </Drawer>
      ) : (
        active !== undefined && (
          <aside className={classes.side} aria-label={t('beside')}>
            <Beside key={active.contact} task={active} />
          </aside>
        )
      )}
    </div>
  );
}

function focusTask(id: string): void {
  requestAnimationFrame(() => {
    const row = document.querySelector<HTMLElement>(`[data-question="${CSS.escape(id)}"]`);
    row?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: 'nearest' });
  });
}
