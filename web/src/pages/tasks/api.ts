/** Tasks as the server has them. */
import { answer, api } from '../../api/client';
import type { Task } from '../documents/api';

export type Part = 'overdue' | 'today' | 'later' | 'done';

const LIMIT = 100;
const DAY_MS = 86_400_000;

export function loadTasks(
  query: { assignee?: string; state?: string; sort?: string },
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<{ items: Task[]; next: string | null }> {
  const asked = { limit: LIMIT, ...query, ...(cursor === undefined ? {} : { cursor }) };
  return answer(api.GET('/api/v1/tasks', { params: { query: asked }, signal }));
}

export function finish(id: string): Promise<Task> {
  return answer(api.POST('/api/v1/tasks/{id}/done', { params: { path: { id } } }));
}

export function reopen(id: string): Promise<Task> {
  return answer(api.POST('/api/v1/tasks/{id}/reopen', { params: { path: { id } } }));
}

/** Puts a task off until a moment, or a day. */
export function postpone(id: string, until: string): Promise<Task> {
  return answer(api.POST('/api/v1/tasks/{id}/postpone', { params: { path: { id } }, body: { until } }));
}

/** In which part of the list an open task stands, by the workspace's day. */
export function partOf(task: Task, today: string, dayOf: (at: string) => string): Exclude<Part, 'done'> {
  if (typeof task.due_at !== 'string') {
    return 'later';
  }
  const day = dayOf(task.due_at);
  return day < today ? 'overdue' : day === today ? 'today' : 'later';
}

/** A day so many after another. */
export function dayAfter(day: string, count: number): string {
  return new Date(Date.parse(day) + count * DAY_MS).toISOString().slice(0, 10);
}
