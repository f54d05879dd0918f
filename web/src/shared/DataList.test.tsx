import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';
import { Failure } from '../api/problem';
import { show } from '../testing/render';
import { type Column, DataList, Empty } from './DataList';

type Row = { id: string; name: string };

const columns: Column<Row>[] = [{ key: 'name', title: 'Name', render: (row) => row.name, sort: 'name' }];
const rows = (from: number, count: number): Row[] =>
  Array.from({ length: count }, (_, n) => ({ id: `r${from + n}`, name: `Row ${from + n}` }));

function list(props: Partial<Parameters<typeof DataList<Row>>[0]>) {
  return (
    <DataList
      label="Rows"
      queryKey={['contacts', 'test']}
      load={async () => ({ items: rows(1, 5), next: null })}
      rowKey={(row) => row.id}
      columns={columns}
      empty={<Empty title="Nothing yet" />}
      {...props}
    />
  );
}

describe('a list', () => {
  it('goes through its rows by keys, opens one and selects one', async () => {
    const [open, toggle] = [vi.fn(), vi.fn()];
    show(list({ onOpen: open, selection: { has: () => false, toggle, all: vi.fn() } }));
    (await screen.findByText('Row 1')).closest<HTMLElement>('[role=row]')?.focus();
    const keys = userEvent.setup();
    await keys.keyboard('j');
    await waitFor(() => expect(screen.getByText('Row 2').closest('[role=row]')).toHaveFocus());
    await keys.keyboard('{Enter}x');
    expect(open).toHaveBeenCalledWith({ id: 'r2', name: 'Row 2' });
    expect(toggle).toHaveBeenCalledWith('r2');
  });

  it('asks the server for another order', async () => {
    const sort = vi.fn();
    show(list({ sort: { by: 'name', order: 'desc' }, onSort: sort }));
    await screen.findByText('Row 1');
    expect(screen.getByRole('columnheader', { name: /Name/ })).toHaveAttribute('aria-sort', 'descending');
    await userEvent.click(screen.getByRole('button', { name: /Name/ }));
    expect(sort).toHaveBeenCalledWith({ by: 'name', order: 'asc' });
  });

  it('reads on until the server has no more, over pages that are empty', async () => {
    const load = vi.fn(async (cursor: string | undefined) => {
      const pages: Record<string, { items: Row[]; next: string | null }> = {
        first: { items: rows(1, 2), next: 'b' },
        b: { items: [], next: 'c' },
        c: { items: rows(3, 1), next: null },
      };
      return pages[cursor ?? 'first'] ?? { items: [], next: null };
    });
    show(list({ load }));
    expect(await screen.findByText('Row 3')).toBeVisible();
    expect(load.mock.calls.map(([cursor]) => cursor)).toEqual([undefined, 'b', 'c']);
  });

  it('says what to do when there is nothing', async () => {
    show(list({ load: async () => ({ items: [], next: null }) }));
    expect(await screen.findByText('Nothing yet')).toBeVisible();
  });

  it('says what failed and tries again', async () => {
    let tries = 0;
    const load = async () => {
      tries += 1;
      if (tries === 1) {
        throw new Failure(503, { code: 'overloaded', detail: 'later' });
      }
      return { items: rows(1, 1), next: null };
    };
    show(list({ load }));
    await userEvent.click(await screen.findByRole('button', { name: 'Try again' }));
    expect(await screen.findByText('Row 1')).toBeVisible();
  });
});
