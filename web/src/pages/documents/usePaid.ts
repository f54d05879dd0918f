import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { tellFailure, tellUndoable } from '../../shared/tell';
import { type DocumentDetail, type DocumentRow, tellPaid } from './api';

type Named = Pick<DocumentRow, 'contact' | 'id'>;
type Pages = { pages: { items: readonly DocumentRow[]; next: string | null }[]; pageParams: unknown[] };

/** Calls that are made at once. */
const AT_ONCE = 4;
const CHANGED = ['documents', 'approvals', 'overview', 'tasks'];

/** Marks documents as paid: the page shows it at once, and it can be taken back. */
export function usePaid(): (rows: Named[]) => Promise<void> {
  const queries = useQueryClient();
  const { t } = useTranslation('documents');
  const tell = async (rows: Named[], paid: boolean) => {
    show(queries, rows, paid);
    try {
      for (let from = 0; from < rows.length; from += AT_ONCE) {
        await Promise.all(rows.slice(from, from + AT_ONCE).map((row) => tellPaid(row, paid)));
      }
    } finally {
      for (const topic of CHANGED) {
        queries.invalidateQueries({ queryKey: [topic] });
      }
    }
  };
  return async (rows) => {
    try {
      await tell(rows, true);
      tellUndoable(t('paidDone', { count: rows.length }), () => tell(rows, false));
    } catch (error) {
      tellFailure(error);
    }
  };
}

/** What is shown before the server has answered. */
function show(queries: QueryClient, rows: Named[], paid: boolean): void {
  const meant = (row: Named) => rows.some((one) => one.contact === row.contact && one.id === row.id);
  const changed = (row: DocumentRow): DocumentRow =>
    meant(row) ? { ...row, state: paid ? 'paid' : 'open' } : row;
  queries.setQueriesData<Pages>({ queryKey: ['documents', 'list'] }, (all) =>
    all === undefined
      ? undefined
      : { ...all, pages: all.pages.map((page) => ({ ...page, items: page.items.map(changed) })) },
  );
  for (const row of rows) {
    queries.setQueriesData<DocumentDetail>(
      { queryKey: ['documents', 'one', row.contact, row.id] },
      (detail) => (detail === undefined ? undefined : { ...detail, document: changed(detail.document) }),
    );
  }
}
