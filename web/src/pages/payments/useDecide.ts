import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../shared/format';
import { tellFailure, tellUndoable } from '../../shared/tell';
import { assign, ignore, type Payment, type Said, undo } from './api';

type Pages = { pages: { items: readonly Payment[]; next?: string | null }[]; pageParams: unknown[] };

const CHANGED = ['documents', 'approvals', 'overview', 'tasks'];

/** What a person decides about payments: shown at once, and it can be taken back. */
export function useDecide() {
  const queries = useQueryClient();
  const { t } = useTranslation('payments');
  const format = useFormat();
  const named = (payment: Payment) => ({
    amount: format.amount(payment.amount, payment.currency),
    payer: payment.payer.name || t('noPayer'),
  });
  const run = async (
    payment: Payment,
    call: () => Promise<Payment>,
    done: string,
    back: () => Promise<Payment>,
  ) => {
    leave(queries, payment);
    const change = async (make: () => Promise<Payment>) => {
      try {
        const now = await make();
        queries.setQueryData(['documents', 'payments', 'one', payment.id], now);
      } finally {
        for (const topic of CHANGED) {
          queries.invalidateQueries({ queryKey: [topic] });
        }
      }
    };
    try {
      await change(call);
      tellUndoable(done, () => change(back));
    } catch (error) {
      tellFailure(error);
    }
  };
  return {
    assign: (payment: Payment, documents: Said[], number: string) => {
      const count = documents.length;
      const words =
        count === 1
          ? t('told.assigned', { ...named(payment), number })
          : t('told.split', { ...named(payment), count });
      return run(
        payment,
        () => assign(payment.id, documents),
        words,
        () => undo(payment.id),
      );
    },
    ignore: (payment: Payment) =>
      run(
        payment,
        () => ignore(payment.id),
        t('told.ignored', named(payment)),
        () => undo(payment.id),
      ),
    undo: (payment: Payment) => {
      const before = payment.documents.map(({ contact, document, amount }) => ({
        contact,
        document,
        amount,
      }));
      const again = () => (before.length === 0 ? ignore(payment.id) : assign(payment.id, before));
      return run(payment, () => undo(payment.id), t('told.undone', named(payment)), again);
    },
  };
}

/** It leaves the list of its state before the server has answered. */
function leave(queries: QueryClient, payment: Payment): void {
  queries.setQueriesData<Pages>({ queryKey: ['documents', 'payments', 'list'] }, (all) =>
    all === undefined
      ? undefined
      : {
          ...all,
          pages: all.pages.map((page) => ({
            ...page,
            items: page.items.filter((one) => one.id !== payment.id),
          })),
        },
  );
}
