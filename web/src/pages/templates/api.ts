/** What the pages of templates ask of the server. */
import { call } from '../../shared/call';

export type TemplateSummary = {
  id: string;
  /** `""` is the file without a language. */
  languages: string[];
  forms: string[];
  updated_at: string;
  used_by: string[];
};

export type TemplateShown = TemplateSummary & { files: Files; revision: string };
/** Texts by file name. */
export type Files = Record<string, string>;

export type FileMistake = { file: string; line?: number; path?: string; text: string };
export type Check = { code: string; detail: string; about: string[] };
export type Variable = { name: string; value: unknown };

export type Rendered = {
  subject: string;
  html: string | null;
  text: string;
  language: string | null;
  bytes: number;
  mistakes: FileMistake[];
  problems: string[];
  checks: Check[];
  variables: Variable[];
};

export type TestSent = { to: string; channel: string; outcome: string; detail?: string };

export const templates = {
  list: (signal: AbortSignal) =>
    call<{ items: TemplateSummary[]; next?: string | null }>('GET', '/api/v1/templates', { signal }),
  show: (id: string, signal: AbortSignal) =>
    call<TemplateShown>('GET', '/api/v1/templates/{id}', { params: { path: { id } }, signal }),
  /** Files that are not named stay. A stale revision is refused with 412. */
  put: (id: string, files: Files, revision: string | undefined) =>
    call<TemplateShown>('PUT', '/api/v1/templates/{id}', {
      params: { path: { id } },
      body: { files },
      headers: revision === undefined ? {} : { 'If-Match': revision },
    }),
  render: (
    wanted: { files: Files; language: string | undefined; contact: string | undefined },
    signal: AbortSignal,
  ) =>
    call<Rendered>('POST', '/api/v1/templates/render', {
      body: Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined)),
      signal,
    }),
  test: (id: string, to: string, contact: string | undefined) =>
    call<TestSent>('POST', '/api/v1/templates/{id}/test', {
      params: { path: { id } },
      body: { to, ...(contact === undefined ? {} : { contact }) },
    }),
};
