import {
  ActionIcon,
  Badge,
  Button,
  Checkbox,
  Group,
  Popover,
  Stack,
  Text,
  TextInput,
  Tooltip,
  UnstyledButton,
} from '@mantine/core';
import { IconClock } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../shared/format';
import { useNow, useToday } from '../../shared/useNow';
import { plain } from '../contacts/people';
import type { Task } from '../documents/api';
import { dayAfter, type Part } from './api';
import classes from './Tasks.module.css';

/** Farther off, the day says more than the distance. */
const WEEK_MS = 7 * 86_400_000;

type Props = {
  task: Task;
  part: Part;
  active: boolean;
  /** Whose it is, where others' are listed too. */
  showsAssignee: boolean;
  mayWork: boolean;
  open: () => void;
  done: () => void;
  reopen: () => void;
  postpone: (until: string) => void;
  postponing: boolean;
  setPostponing: (on: boolean) => void;
};

export function TaskRow(props: Props) {
  const {
    task,
    part,
    active,
    showsAssignee,
    mayWork,
    open,
    done,
    reopen,
    postpone,
    postponing,
    setPostponing,
  } = props;
  const { t } = useTranslation('tasks');
  const format = useFormat();
  const now = useNow();
  const isDone = part === 'done';
  return (
    <li className={classes.task} data-active={active || undefined}>
      {mayWork && (
        <Checkbox
          size="sm"
          radius="xl"
          checked={isDone}
          aria-label={isDone ? t('reopenOf', { title: task.title }) : t('doneOf', { title: task.title })}
          onChange={isDone ? reopen : done}
        />
      )}
      <UnstyledButton
        className={classes.open}
        data-question={task.id}
        aria-current={active || undefined}
        onClick={open}
      >
        <Text size="sm" fw={500} lineClamp={2} className="breaks" td={isDone ? 'line-through' : undefined}>
          {task.title}
        </Text>
        <Text size="xs" c="dimmed" truncate>
          {[
            typeof task.contact_name === 'string' ? plain(task.contact_name) : undefined,
            showsAssignee ? task.assignee : undefined,
            isDone && typeof task.done_by === 'string' ? t('doneBy', { who: task.done_by }) : undefined,
          ]
            .filter((word) => typeof word === 'string')
            .join(' · ')}
        </Text>
      </UnstyledButton>
      {isDone ? (
        <Text size="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }}>
          {format.relative(task.done_at, now)}
        </Text>
      ) : (
        typeof task.due_at === 'string' && (
          <Badge
            variant="light"
            color={part === 'overdue' ? 'red' : 'gray'}
            size="sm"
            radius="sm"
            tt="none"
            fw={500}
            style={{ flex: 'none' }}
          >
            {Math.abs(Date.parse(task.due_at) - now) < WEEK_MS
              ? format.relative(task.due_at, now)
              : format.brief(task.due_at)}
          </Badge>
        )
      )}
      {mayWork && !isDone && (
        <Postpone opened={postponing} setOpened={setPostponing} postpone={postpone} title={task.title} />
      )}
    </li>
  );
}

type PostponeProps = {
  opened: boolean;
  setOpened: (on: boolean) => void;
  postpone: (until: string) => void;
  title: string;
};

function Postpone({ opened, setOpened, postpone, title }: PostponeProps) {
  const { t } = useTranslation('tasks');
  const today = useToday();
  const [day, setDay] = useState('');
  const put = (until: string) => {
    setOpened(false);
    postpone(until);
  };
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" trapFocus returnFocus shadow="md">
      <Popover.Target>
        <Tooltip label={t('postpone')}>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={t('postponeOf', { title })}
            onClick={() => setOpened(!opened)}
          >
            <IconClock size={17} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown role="dialog" aria-label={t('postpone')}>
        <Stack gap="xs">
          <Button size="xs" variant="light" onClick={() => put(dayAfter(today, 1))} data-autofocus>
            {t('tomorrow')}
          </Button>
          <Button size="xs" variant="light" onClick={() => put(dayAfter(today, 7))}>
            {t('nextWeek')}
          </Button>
          <Group gap="xs" align="flex-end" wrap="nowrap">
            <TextInput
              size="xs"
              type="date"
              label={t('onDay')}
              min={dayAfter(today, 1)}
              value={day}
              onChange={(event) => setDay(event.currentTarget.value)}
            />
            <Button size="xs" disabled={day === '' || day <= today} onClick={() => put(day)}>
              {t('put')}
            </Button>
          </Group>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
