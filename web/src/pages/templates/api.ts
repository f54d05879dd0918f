/** What the pages of templates ask of the server. */
import { answer, api } from '../../api/client';
import type { components } from '../../api/schema';

type Schemas = components['schemas'];
export type TemplateSummary = Schemas['TemplateSummary'];
export type TemplateShown = Schemas['TemplateShown'];
/** Texts by file name. */
export type Files = Record<string, string>;
export type FileMistake = Schemas['FileProblemShown'];
export type Check = Schemas['TemplateCheck'];
export type Variable = Schemas['Variable'];
export type Rendered = Schemas['TemplateRendered'];
export type TestSent = Schemas['TestSent'];

/** Templates of one answer; few workspaces have more. */
const PAGE_ROWS = 500;

export const templates = {
  /** All of them, page by page. */
  list: async (signal: AbortSignal): Promise<{ items: TemplateSummary[] }> => {
    const items: TemplateSummary[] = [];
    let cursor: string | undefined;
    do {
      const query = { limit: PAGE_ROWS, ...(cursor === undefined ? {} : { cursor }) };
      const page = await answer(api.GET('/api/v1/templates', { params: { query }, signal }));
      items.push(...page.items);
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    return { items };
  },
  show: (id: string, signal: AbortSignal) =>
    answer(api.GET('/api/v1/templates/{id}', { params: { path: { id } }, signal })),
  /** Files that are not named stay. A stale revision is refused with 412. */
  put: (id: string, files: Files, revision: string | undefined) =>
    answer(
      api.PUT('/api/v1/templates/{id}', {
        params: { path: { id }, header: revision === undefined ? {} : { 'If-Match': revision } },
        body: { files },
      }),
    ),
  /** All of it, or one file; what a journey needs is refused with 409 and its name. */
  remove: (id: string, file?: string) =>
    answer(
      api.DELETE('/api/v1/templates/{id}', {
        params: { path: { id }, query: file === undefined ? {} : { file } },
      }),
    ),
  render: (
    wanted: { files: Files; language: string | undefined; contact: string | undefined },
    signal: AbortSignal,
  ) => {
    const { files, language, contact } = wanted;
    const body = {
      files,
      ...(language === undefined ? {} : { language }),
      ...(contact === undefined ? {} : { contact }),
    };
    return answer(api.POST('/api/v1/templates/render', { body, signal }));
  },
  test: (id: string, to: string, contact: string | undefined) =>
    answer(
      api.POST('/api/v1/templates/{id}/test', {
        params: { path: { id } },
        body: { to, ...(contact === undefined ? {} : { contact }) },
      }),
    ),
};
