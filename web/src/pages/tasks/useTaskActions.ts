import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../shared/format';
import { tellFailure, tellUndoable } from '../../shared/tell';
import type { Task } from '../documents/api';
import { finish, postpone, reopen } from './api';

const CHANGED = ['tasks', 'overview', 'documents', 'contacts'];

/** What can be done with a task. It is out of the list at once, and back when that is undone or fails. */
export function useTaskActions() {
  const { t } = useTranslation('tasks');
  const format = useFormat();
  const queries = useQueryClient();
  const [gone, setGone] = useState<ReadonlySet<string>>(new Set());
  const hide = (id: string, on: boolean) =>
    setGone((before) => {
      const all = new Set(before);
      on ? all.add(id) : all.delete(id);
      return all;
    });
  const refresh = async () => {
    await Promise.all(CHANGED.map((topic) => queries.invalidateQueries({ queryKey: [topic] })));
  };
  const run = async (
    task: Task,
    act: () => Promise<unknown>,
    words: string,
    back: () => Promise<unknown>,
  ) => {
    hide(task.id, true);
    try {
      await act();
      tellUndoable(words, async () => {
        await back();
        await refresh();
      });
      await refresh();
    } catch (error) {
      tellFailure(error);
    } finally {
      hide(task.id, false);
    }
  };
  return {
    gone,
    done: (task: Task) =>
      run(
        task,
        () => finish(task.id),
        t('finished', { title: task.title }),
        () => reopen(task.id),
      ),
    reopen: (task: Task) =>
      run(
        task,
        () => reopen(task.id),
        t('reopened', { title: task.title }),
        () => finish(task.id),
      ),
    postpone: (task: Task, until: string) =>
      run(
        task,
        () => postpone(task.id, until),
        t('postponed', { title: task.title, until: format.day(until) }),
        () => postpone(task.id, task.due_at ?? until),
      ),
  };
}
