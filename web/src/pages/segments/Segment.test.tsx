import { configure, fireEvent, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { SegmentShown } from './api';
import { Segment } from './Segment';

// The editor measures what a test's document does not lay out; its text is what counts here.
vi.mock('../../shared/editing/CodeEditor', () => ({
  CodeEditor: (props: { label: string; value: string; onChange?: (text: string) => void }) => (
    <textarea
      aria-label={props.label}
      value={props.value}
      onChange={(event) => props.onChange?.(event.currentTarget.value)}
    />
  ),
  goToLine: () => undefined,
}));

const { serveTexts, showAt } = await import('./testing');

// The machine of the checks may be busy with other work.
configure({ asyncUtilTimeout: 5_000 });

const TEXT = 'format: segment/1\nid: pro\nname: On pro\n# who pays\nwhen:\n  - plan: pro\n';

const segment = (text: string): SegmentShown => ({
  id: 'pro',
  name: 'On pro',
  kind: 'condition',
  members: 2,
  state: 'ready',
  updated_at: '2026-11-20T10:00:00Z',
  text,
  used_by: { journeys: ['upsell'], segments: [] },
  revision: revisionOf(text),
});

/** Another text is another state. */
function revisionOf(text: string): string {
  return `rev${text.length}`;
}

const exactly = (count: number) => ({ count, low: count, high: count, exact: true });

function server(now: { text: string }, storm?: object) {
  return serveTexts(({ method, path, body, match }) => {
    if (path === '/api/v1/segments') {
      return { items: [segment(now.text)], next: null };
    }
    if (path === '/api/v1/segments/preview') {
      return String(body).includes('oops')
        ? {
            status: 422,
            code: 'invalid_scenario',
            problems: [{ file: 'definition', line: 6, text: 'line 6: no such word' }],
          }
        : {
            segments: [{ id: 'pro', name: 'On pro', kind: 'condition', members: exactly(41), sample: [] }],
            contacts: 90,
            looked_at: 90,
            exact: true,
            took_ms: 3,
          };
    }
    if (path === '/api/v1/scenario/plan') {
      return { segments: { pro: { what: 'changed', members: 2, after: exactly(41) } }, storm, warnings: [] };
    }
    if (path === '/api/v1/segments/pro') {
      if (method === 'PUT' && match !== revisionOf(now.text)) {
        return { status: 412, code: 'stale', text: now.text, revision: revisionOf(now.text) };
      }
      if (method === 'PUT') {
        now.text = String(body);
      }
      return segment(now.text);
    }
    return path === '/api/v1/contacts' || path === '/api/v1/overview' ? { items: [] } : undefined;
  });
}

const textOf = () => screen.getByRole<HTMLTextAreaElement>('textbox', { name: 'Definition as text' }).value;

describe('a segment', { timeout: 30_000 }, () => {
  beforeEach(() => localStorage.clear());

  it('is the same as builder and as text, is counted, and saved after its plan was shown', async () => {
    const calls = server({ text: TEXT });
    showAt('/segments/pro', Segment, '/segments/$id');
    await screen.findByText('41');
    const user = userEvent.setup();
    await user.click(screen.getByRole('button', { name: 'Add a condition' }));
    await user.click(await screen.findByRole('menuitem', { name: 'Engagement' }));
    expect(textOf()).toBe(`${TEXT}  - engaged: engaged\n`);
    expect(screen.getByText(/Journey upsell uses this segment/)).toBeInTheDocument();

    await user.click(screen.getByRole('button', { name: 'Save' }));
    const dialog = await screen.findByRole('dialog');
    await within(dialog).findByRole('cell', { name: '41' });
    await user.click(within(dialog).getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(calls.some((call) => call.method === 'PUT')).toBe(true));
    expect(calls.find((call) => call.method === 'PUT')?.body).toContain('engaged: engaged');
  });

  it('with a mistake says where, and keeps the last count', async () => {
    server({ text: TEXT });
    showAt('/segments/pro', Segment, '/segments/$id');
    await screen.findByText('41');
    fireEvent.change(screen.getByRole('textbox', { name: 'Definition as text' }), {
      target: { value: `${TEXT}  - oops: 1\n` },
    });
    await screen.findByText('line 6: no such word');
    expect(screen.getByText('41')).toBeInTheDocument();
  });

  it('that somebody else saved meanwhile is not overwritten unseen', async () => {
    const now = { text: TEXT };
    server(now);
    showAt('/segments/pro', Segment, '/segments/$id');
    await screen.findByText('41');
    fireEvent.change(screen.getByRole('textbox', { name: 'Definition as text' }), {
      target: { value: `${TEXT}  - mine: 1\n` },
    });
    now.text = `${TEXT}  - theirs: 1\n`;
    const user = userEvent.setup();
    await user.click(screen.getByRole('button', { name: 'Save' }));
    await user.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Save' }));
    const conflict = await screen.findByRole('dialog', { name: 'Somebody else saved meanwhile' });
    expect(conflict).toHaveTextContent('theirs: 1');
    expect(now.text, 'theirs stands').toContain('theirs: 1');
    await user.click(within(conflict).getByRole('button', { name: 'Take the saved text' }));
    await waitFor(() => expect(textOf()).toContain('theirs'));
  });

  it('that would start a storm asks for a word of its own', async () => {
    const contacts = exactly(20_000);
    const journeys = [{ journey: 'upsell', segment: 'pro', by: 'entered', contacts }];
    const calls = server({ text: TEXT }, { contacts: 20_000, limit: 10_000, pace: '', journeys });
    showAt('/segments/pro', Segment, '/segments/$id');
    await screen.findByText('41');
    fireEvent.change(screen.getByRole('textbox', { name: 'Definition as text' }), {
      target: { value: `${TEXT}announce: true\n` },
    });
    const user = userEvent.setup();
    await user.click(screen.getByRole('button', { name: 'Save' }));
    const dialog = await screen.findByRole('dialog');
    const agree = await within(dialog).findByRole('checkbox');
    expect(within(dialog).getByRole('button', { name: 'Save' })).toBeDisabled();
    await user.click(agree);
    await user.click(within(dialog).getByRole('button', { name: 'Save' }));
    await waitFor(() =>
      expect(calls.find((call) => call.method === 'PUT')?.query.get('confirm')).toBe('20000'),
    );
  });
});
