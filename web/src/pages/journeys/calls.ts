/** What the pages of journeys ask of the server. */
import { answer, api } from '../../api/client';

type Init = {
  params?: {
    path?: Record<string, string>;
    query?: Record<string, unknown>;
    header?: Record<string, string>;
  };
  body?: unknown;
  bodySerializer?: (body: never) => string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
};
type Loose = (path: string, init?: Init) => Promise<{ data?: unknown }>;
const get = api.GET as unknown as Loose;
const post = api.POST as unknown as Loose;
const put = api.PUT as unknown as Loose;
const drop = api.DELETE as unknown as Loose;
const said = <T>(call: Promise<{ data?: unknown }>) => answer(call) as Promise<T>;

export type Page<T> = { items: readonly T[]; next?: string | null };
export type Status = 'draft' | 'live' | 'paused' | 'retired' | 'archived';
export type JourneySummary = {
  id: string;
  name?: string;
  status: string;
  current: number | null;
  newest: number | null;
  published_at: string | null;
  live_runs: number;
  drafted_at: string | null;
};
export type JourneyVersion = {
  version: number;
  current: boolean;
  moves: string;
  published_at: string;
  live_runs: number;
  text: string;
};
export type Draft = { text: string; updated_at: string; revision: string; by?: string };
export type JourneyShown = JourneySummary & {
  versions: JourneyVersion[];
  standing: { version: number; step: string; runs: number }[];
  draft: Draft | null;
};
export type TextProblem = { path: string; line: number; what: string; message?: string; remedy: string };
export type Checked = { id?: string; name?: string; problems: TextProblem[] };
export type DraftStored = { id: string; problems: TextProblem[]; revision: string; updated_at: string };
export type StepNumbers = {
  step: string;
  standing: number;
  standing_on: Record<string, number>;
  what: Record<string, number>;
  reasons: Record<string, number>;
};
export type Numbers = {
  id: string;
  entered: number;
  live: number;
  finished: number;
  exited: number;
  converted: number;
  held_out: number;
  steps: StepNumbers[];
};
export type Moves = 'pin' | 'follow' | { map: Record<string, string | null> };
export type FileProblem = { file: string; line?: number; path?: string; text: string };
export type RunsMoved = { version: number; step: string; runs: number; what: string; to?: string };
export type Storm = {
  contacts: number;
  limit: number;
  pace: string;
  journeys: { journey: string; contacts?: number }[];
};
export type Applied = {
  published: Record<string, number>;
  unchanged: string[];
  storm?: Storm;
  runs?: Record<string, RunsMoved[]>;
  warnings?: FileProblem[];
};
export type PreviewLine = {
  at: string;
  what: string;
  journey?: string;
  contact: string;
  step?: string;
  template?: string;
  channel?: string;
  variant?: string;
  reason?: string;
  until?: string;
  detail?: string;
  subject?: string;
};
export type Report = {
  contacts: number;
  events: number;
  enrolled: number;
  held_out: number;
  not_enrolled: Record<string, number>;
  messages: number;
  messages_by_template: Record<string, number>;
  messages_by_day: { day: string; messages: number }[];
  asked_for_approval: number;
  held: Record<string, number>;
  not_sent: Record<string, number>;
  tasks: number;
  exited: Record<string, number>;
  finished: number;
  converted: number;
  contacts_hit_most: { contact: string; messages: number }[];
};
export type Backtested = { candidate: Report; current: Report | null };
export type Job = {
  id: string;
  /** `running`, `done`, `failed`, `cancelled`. */
  state: string;
  done: number;
  of: number;
  result?: unknown;
  problem?: string;
};
export type Named = { id: string; name?: string };
export type LibraryItem = {
  id: string;
  name: Record<string, string>;
  description: Record<string, string>;
  languages: string[];
  needs: string[];
  journeys: string[];
  templates: string[];
  state: 'not_used' | 'used' | 'changed';
};
export type LibraryAdded = { journeys: string[]; templates: string[]; kept: string[] };

export function journeys(
  cursor: string | undefined,
  signal: AbortSignal,
  limit = 50,
): Promise<Page<JourneySummary>> {
  return said(get('/api/v1/journeys', { params: { query: { cursor, limit } }, signal }));
}

export function journey(id: string): Promise<JourneyShown> {
  return said(get('/api/v1/journeys/{id}', { params: { path: { id } } }));
}

/** `pause`, `resume`, `retire`, `archive`. */
export function change(id: string, change: string, body?: { overdue: string }): Promise<unknown> {
  return said(
    post('/api/v1/journeys/{id}/{change}', {
      params: { path: { id, change } },
      ...(body === undefined ? {} : { body }),
    }),
  );
}

/** Without a revision there must be no draft yet. */
export function putDraft(id: string, text: string, revision: string | undefined): Promise<DraftStored> {
  return said(
    put('/api/v1/journeys/{id}/draft', {
      params: { path: { id } },
      headers: {
        'Content-Type': 'text/plain; charset=utf-8',
        ...(revision === undefined ? { 'If-None-Match': '*' } : { 'If-Match': revision }),
      },
      body: text,
      bodySerializer: (body) => body,
    }),
  );
}

export function dropDraft(id: string): Promise<unknown> {
  return said(drop('/api/v1/journeys/{id}/draft', { params: { path: { id } } }));
}

export function check(text: string, signal?: AbortSignal): Promise<Checked> {
  return said(
    post('/api/v1/journeys/check', { body: { text }, ...(signal === undefined ? {} : { signal }) }),
  );
}

/** Of all days, or of those since a moment. */
export function numbers(id: string, from?: string): Promise<Numbers> {
  return said(get('/api/v1/journeys/{id}/numbers', { params: { path: { id }, query: { from } } }));
}

export type PlanAsked = { id: string; text: string; moves: Moves; confirm?: number | undefined };

function scenario({ id, text, moves, confirm }: PlanAsked) {
  return { journeys: { [`${id}.yaml`]: text }, moves, ...(confirm === undefined ? {} : { confirm }) };
}

export function plan(asked: PlanAsked): Promise<Applied> {
  return said(post('/api/v1/scenario/plan', { body: scenario(asked) }));
}

export function publish(asked: PlanAsked): Promise<Applied> {
  return said(post('/api/v1/scenario', { body: scenario(asked) }));
}

export type PreviewAsked = {
  text: string;
  contact?: string;
  identify?: unknown;
  events?: unknown[];
  from?: string;
  until?: string;
  start?: boolean;
  choices?: Record<string, string>;
};
export type Played = { lines: PreviewLine[]; more: boolean; started: boolean };

export function preview(asked: PreviewAsked): Promise<Played> {
  return said(post('/api/v1/journeys/preview', { body: asked }));
}

export function backtest(asked: { text?: string; id?: string; since: string }): Promise<Job> {
  return said(post('/api/v1/journeys/backtest', { body: asked }));
}

export function job(id: string): Promise<Job> {
  return said(get('/api/v1/jobs/{id}', { params: { path: { id } } }));
}

export function stopJob(id: string): Promise<unknown> {
  return said(drop('/api/v1/jobs/{id}', { params: { path: { id } } }));
}

/** Names of templates and lists that are offered. */
const NAMES_MAX = 500;

export function templates(signal?: AbortSignal): Promise<Page<Named>> {
  const params = { query: { limit: NAMES_MAX } };
  return said(get('/api/v1/templates', signal === undefined ? { params } : { params, signal }));
}

export function segments(signal?: AbortSignal): Promise<Page<Named>> {
  return said(
    get('/api/v1/segments', {
      params: { query: { limit: 200 } },
      ...(signal === undefined ? {} : { signal }),
    }),
  );
}

export function lists(signal?: AbortSignal): Promise<Page<Named>> {
  const params = { query: { limit: NAMES_MAX } };
  return said(get('/api/v1/lists', signal === undefined ? { params } : { params, signal }));
}

/** Ready-made journeys. */
export function library(signal?: AbortSignal): Promise<{ items: LibraryItem[] }> {
  return said(get('/api/v1/library', signal === undefined ? {} : { signal }));
}

/** Takes one as drafts with its templates; with `keep`, what is there already stays. */
export function addFromLibrary(id: string, languages: string[], keep: boolean): Promise<LibraryAdded> {
  return said(post('/api/v1/library/{id}', { params: { path: { id } }, body: { languages, keep } }));
}
