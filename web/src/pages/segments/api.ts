/** What the pages of segments ask of the server. */
import { call } from '../../shared/call';
import { sendText } from '../../shared/editing/sendText';

export type BuildProgress = { looked_at: number; contacts: number; share: number; since: string };

export type SegmentSummary = {
  id: string;
  name?: string;
  kind: string;
  members: number;
  state: string;
  progress?: BuildProgress;
  updated_at?: string;
  announce?: boolean;
  sets?: Record<string, unknown>;
};

export type SegmentShown = SegmentSummary & {
  text: string | null;
  used_by: { journeys: string[]; segments: string[] };
  /** Sent as `If-Match`; a list that nobody defined has none. */
  revision?: string;
};

export type Estimate = { count: number; low: number; high: number; exact: boolean };
export type ContactBrief = { id: string; name?: string; email?: string; phone?: string };

export type SegmentTried = {
  id: string;
  name: string;
  kind: string;
  members?: Estimate;
  entering?: Estimate;
  leaving?: Estimate;
  sample?: ContactBrief[];
};

export type DefinitionTried = {
  segments: SegmentTried[];
  contacts: number;
  looked_at: number;
  exact: boolean;
  took_ms: number;
};

export type SegmentApplied = {
  what: 'new' | 'changed' | 'unchanged' | 'removed';
  members: number;
  after?: Estimate;
  entering?: Estimate;
  leaving?: Estimate;
};

export type Storm = {
  contacts: number;
  limit: number;
  pace: string;
  journeys: { journey: string; segment: string; by: string; contacts: Estimate }[];
};

export type FileProblem = { file: string; line?: number; path?: string; text: string };

export type Planned = {
  segments?: Record<string, SegmentApplied>;
  storm?: Storm | null;
  warnings?: FileProblem[];
};

export type ConditionPart = {
  what: string;
  holds?: boolean;
  until?: string;
  parts?: ConditionPart[];
  field?: string;
  event?: string;
  segment?: string;
  kind?: string;
  asked?: unknown;
  value?: unknown;
  known?: number;
  last?: string | null;
  fitting?: number;
  missing?: string;
  scores?: Record<string, number>;
  group?: string;
  orders?: number;
};

export type MembershipExplained = {
  segment: string;
  contact: string;
  member: boolean;
  because: ConditionPart;
  looked_at_again?: string;
};

export type Rfm = {
  bounds: { recency_days: number[]; orders: number[]; money: number[] } | null;
  customers: number;
  at: string | null;
  order: { event?: string; amount?: string | string[] } & Record<string, unknown>;
};

export type MemberContact = { id: string; created_at: string; traits: Record<string, unknown> };
export type Page<T> = { items: T[]; next?: string | null };

const PAGE_ROWS = 100;

const at = (id: string) => ({ path: { id } });

export const segments = {
  list: (cursor?: string, signal?: AbortSignal) =>
    call<Page<SegmentSummary>>('GET', '/api/v1/segments', {
      params: { query: { limit: PAGE_ROWS, ...(cursor === undefined ? {} : { cursor }) } },
      ...(signal === undefined ? {} : { signal }),
    }),
  show: (id: string, signal: AbortSignal) =>
    call<SegmentShown>('GET', '/api/v1/segments/{id}', { params: at(id), signal }),
  tryOut: (text: string, signal: AbortSignal) =>
    sendText<DefinitionTried>('POST', '/api/v1/segments/{id}', text, {
      ...at('preview'),
      query: { sample: 12 },
      signal,
    }),
  plan: (id: string, text: string, signal: AbortSignal) =>
    call<Planned>('POST', '/api/v1/scenario/plan', {
      body: { segments: { [`${id}.yaml`]: text } },
      signal,
    }),
  /** A stale revision is refused with 412 and the other's text. */
  put: (id: string, text: string, confirm: number | undefined, revision: string | undefined) =>
    sendText<Planned>('PUT', '/api/v1/segments/{id}', text, {
      path: { id },
      query: confirm === undefined ? {} : { confirm },
      headers: revision === undefined ? {} : { 'If-Match': revision },
    }),
  remove: (id: string) => call<{ removed: string[] }>('DELETE', '/api/v1/segments/{id}', { params: at(id) }),
  members: (id: string, cursor: string | undefined, signal: AbortSignal) =>
    call<Page<MemberContact>>('GET', '/api/v1/segments/{id}/members', {
      params: { ...at(id), query: { limit: PAGE_ROWS, ...(cursor === undefined ? {} : { cursor }) } },
      signal,
    }),
  change: (id: string, contacts: string[], what: 'add' | 'remove') =>
    call<{ added?: number; removed?: number; unknown: string[] }>(
      what === 'add' ? 'POST' : 'DELETE',
      '/api/v1/segments/{id}/members',
      { params: at(id), body: { contacts } },
    ),
  why: (id: string, contact: string, signal: AbortSignal) =>
    call<MembershipExplained>('GET', '/api/v1/segments/{id}/why', {
      params: { ...at(id), query: { contact } },
      signal,
    }),
  rfm: () => call<Rfm>('GET', '/api/v1/rfm'),
  rfmNow: () => call<Rfm>('POST', '/api/v1/rfm'),
};

/** All segments, for choosing among them; a workspace has hundreds at most. */
export async function allSegments(signal: AbortSignal): Promise<SegmentSummary[]> {
  const found: SegmentSummary[] = [];
  let cursor: string | undefined;
  do {
    const page = await segments.list(cursor, signal);
    found.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return found;
}
