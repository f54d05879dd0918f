/** What the pages of imports ask of the server. */
import { call } from '../../shared/call';
import { sendText } from '../../shared/editing/sendText';

export type Counts = {
  rows: number;
  created: number;
  updated: number;
  unchanged: number;
  skipped: number;
  errors: number;
  left_out: number;
  role: number;
  disposable: number;
};

export type FileFacts = {
  format: string;
  encoding?: string;
  delimiter?: string;
  sheet?: string;
  sheets?: string[];
  header: boolean;
  heads: string[];
};

export type Job = {
  id: string;
  name: string;
  state: 'uploaded' | 'running' | 'done' | 'cancelled' | 'failed';
  created_at: string;
  file: FileFacts;
  mapping: string | null;
  position: number;
  bytes: { read: number; of: number };
  counts: Counts;
  problem: string | null;
};

export type SuggestedColumn = {
  place: number;
  head: string | null;
  name: string | null;
  samples: string[];
  becomes: string;
  why: string;
};

export type Suggestion = { file: FileFacts; columns: SuggestedColumn[]; mapping: string };

export type Example = {
  row: number;
  line: number;
  what: 'create' | 'update' | 'error';
  contact?: string | null;
  key?: Record<string, string> | null;
  named_before_in_the_file?: boolean | null;
  changes?: Record<string, { before: unknown; after: unknown }>;
  column?: string;
  code?: string;
  reason?: string;
};

export type Forecast = { counts: Counts; examples: Example[]; counts_are_rough: boolean };

const at = (id: string) => ({ params: { path: { id } } });

export const imports = {
  list: (signal: AbortSignal) =>
    call<{ items: Job[]; next?: string | null }>('GET', '/api/v1/imports', { signal }),
  show: (id: string, signal: AbortSignal) => call<Job>('GET', '/api/v1/imports/{id}', { ...at(id), signal }),
  suggestion: (id: string, signal: AbortSignal) =>
    call<Suggestion>('GET', '/api/v1/imports/{id}/suggestion', { ...at(id), signal }),
  dryRun: (id: string, mapping: string, signal: AbortSignal) =>
    sendText<Forecast>('POST', '/api/v1/imports/{id}/dry-run', mapping, { path: { id }, signal }),
  /** Without a mapping it goes on with the one that is kept. */
  start: (id: string, mapping: string) =>
    sendText<Job>('POST', '/api/v1/imports/{id}/start', mapping, { path: { id } }),
  cancel: (id: string) => call<Job>('POST', '/api/v1/imports/{id}/cancel', at(id)),
  remove: (id: string) => call<unknown>('DELETE', '/api/v1/imports/{id}', at(id)),
  errorsAddress: (id: string) => `/api/v1/imports/${encodeURIComponent(id)}/errors.csv`,
};
