/** Questions and answers as the server has them. */
import { queryOptions } from '@tanstack/react-query';
import { answer, api } from '../../api/client';
import type { components } from '../../api/schema';
import { session } from '../../api/session';
import { companyOf, nameOf, plain } from '../contacts/people';
import { loadDocuments } from '../documents/api';
import { KEEPALIVE_BYTES_MAX, type Said, type Told } from './outbox';

export type Question = components['schemas']['Question'];
export type Asked = components['schemas']['QuestionDetail'];

const PAGE_ROWS = 100;

export function loadQuestions(
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<components['schemas']['QuestionPage']> {
  const query = cursor === undefined ? { limit: PAGE_ROWS } : { limit: PAGE_ROWS, cursor };
  return answer(api.GET('/api/v1/approvals', { params: { query }, signal }));
}

export function loadQuestion(id: string, signal: AbortSignal): Promise<Asked> {
  return answer(api.GET('/api/v1/approvals/{id}', { params: { path: { id } }, signal }));
}

/** Sends answers; those of a page that is being left go without waiting for anything. */
export async function sendAnswers(said: Said[], leaving: boolean): Promise<Told[]> {
  if (!leaving) {
    // It outlives the page when that is closed meanwhile; a browser lets small calls do so.
    const keepalive = JSON.stringify(said).length < KEEPALIVE_BYTES_MAX;
    const { items } = await answer(api.POST('/api/v1/approvals', { body: { answers: said }, keepalive }));
    return items;
  }
  await fetch('/api/v1/approvals', {
    method: 'POST',
    keepalive: true,
    credentials: 'same-origin',
    headers: {
      'content-type': 'application/json',
      ...(session.csrf === undefined ? {} : { 'X-Relance-Csrf': session.csrf }),
    },
    body: JSON.stringify({ answers: said }),
  });
  return [];
}

/** Documents that are looked through for the next reminder. */
const LOOKED_THROUGH = 200;

/** When reminders about open documents are due, soonest first. */
export const nextQuery = queryOptions({
  queryKey: ['documents', 'next'],
  queryFn: async ({ signal }) => {
    const open = { state: 'open,answered', sort: 'updated', limit: LOOKED_THROUGH };
    const { items } = await loadDocuments(open, undefined, signal);
    return items
      .flatMap(({ next }) => (next?.what === 'wait' || next?.what === 'send' ? (next.at ?? []) : []))
      .sort();
  },
});

/** What a question is about, as far as a list of documents would tell it. */
export function aboutOf(question: Question) {
  const fields = question.about ?? {};
  const text = (name: string) => {
    const value = fields[name];
    return typeof value === 'string' || typeof value === 'number' ? plain(String(value)) : undefined;
  };
  return {
    kind: text('kind') ?? question.subject?.split(':', 1)[0],
    number: text('number') ?? text('name') ?? text('title'),
    amount: text('amount'),
    currency: text('currency'),
    due: text('due'),
    /** The id of the document, where it is one. */
    document: question.subject?.startsWith('document:') ? question.subject.slice(9) : undefined,
  };
}

export type Client = { key: string; name: string; questions: Question[] };

/** Questions by company, or by person where there is none; clients in the order of their most urgent question. */
export function byClient(questions: readonly Question[]): Client[] {
  const clients = new Map<string, Client>();
  for (const question of questions) {
    const company = companyOf(question.to.traits);
    const key = question.to.account ?? company?.toLowerCase() ?? question.contact;
    const client = clients.get(key);
    if (client === undefined) {
      clients.set(key, { key, name: company ?? nameOf(question.to), questions: [question] });
    } else {
      client.questions.push(question);
    }
  }
  return [...clients.values()];
}

/** The text that a person edits: subject line, empty line, words. */
export function joined(subject: string, text: string): string {
  return `${subject.replaceAll('\n', ' ')}\n\n${text}`;
}

export function parted(editable: string): { subject: string; text: string } {
  const end = editable.indexOf('\n');
  return end < 0
    ? { subject: editable, text: '' }
    : { subject: editable.slice(0, end), text: editable.slice(end + 1).replace(/^\n/, '') };
}
