import { screen, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { type Call, serve, showAt } from '../../testing/address';
import { Reports } from './Reports';

const arm = { documents: 0, paid: 0, paid_share: null, paid_share_interval: null, paid_amount: '0' };
const NOT_YET = {
  currency: 'EUR',
  followed: 40,
  held_out: 12,
  brought: null,
  missing: 'few_held_out',
  wanted: 18,
  reminders: 25,
  cost: null,
  roi: null,
};
const MEASURED = {
  currency: 'EUR',
  followed: 400,
  held_out: 40,
  brought: { amount: '10000', low: '4200', high: '15800', measured: 400 },
  reminders: 250,
  cost: '500',
  roi: { value: 20, low: 8.4, high: 31.6 },
};

function report(effect: object, costs: object | null) {
  const row = {
    key: 'anna@firm.test',
    name: 'Anna',
    currency: 'EUR',
    documents: 52,
    invoices: 52,
    offers: 0,
    per_working_day: 2,
    amount: '52000',
    answered: 5,
    answered_share: 0.1,
    paid: 20,
    paid_share: 0.4,
    paid_amount: '20000',
    days_to_payment: 9.5,
    reminded: arm,
    held_out: arm,
    brought: 3,
    brought_amount: '3000',
    effect,
  };
  return {
    from: '2026-11-01',
    to: '2026-11-22',
    by: 'owner',
    working_days: 15,
    within_days: 7,
    items: [row],
    totals: [],
    effects: [effect],
    costs,
    exact: true,
  };
}

function show(effect: object, costs: object | null) {
  serve(({ path }: Call) => (path === '/api/v1/reports/sales' ? report(effect, costs) : undefined));
  return showAt('/reports', Reports, '/reports');
}

describe('reports', () => {
  it('say what follow-ups brought, cost and return, each with how sure that is', async () => {
    show(MEASURED, { currency: 'EUR', reminder: 1.5, month: 31 });
    const part = await screen.findByRole('region', { name: 'What follow-ups brought' });
    expect(part).toHaveTextContent('€10,000');
    expect(part).toHaveTextContent('€4,200');
    expect(part).toHaveTextContent('20×');
    expect(part).toHaveTextContent('8.4 – 31.6 at 95 %');
    expect(part).toHaveTextContent('250 reminders');
  });

  it('say that it is too early, and how much is missing, rather than a number', async () => {
    show(NOT_YET, null);
    const part = await screen.findByRole('region', { name: 'What follow-ups brought' });
    expect(part).toHaveTextContent('Not measurable yet');
    expect(part).toHaveTextContent('The control group wants 18 more documents.');
    expect(part).toHaveTextContent('Not set');
    const row = screen.getByRole('row', { name: /Anna/ });
    expect(within(row).getByText('Not measurable yet')).toBeVisible();
    expect(row).toHaveTextContent('9.5');
  });
});
