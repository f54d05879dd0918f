/** Renders a page at an address, with a server that answers what the test says. */
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  Outlet,
  RouterProvider,
} from '@tanstack/react-router';
import { configure } from '@testing-library/react';
import type { ReactNode } from 'react';
import { vi } from 'vitest';
import { show } from './render';

// Whole pages on a machine that does other work as well.
configure({ asyncUtilTimeout: 8_000 });
vi.setConfig({ testTimeout: 40_000 });

export type Call = { method: string; path: string; query: URLSearchParams; body: unknown };

const SESSION = {
  user: { address: 'emma@northlight.example', name: 'Emma', role: 'head' },
  permissions: ['see', 'work', 'approve', 'contacts', 'merge', 'export', 'erase', 'import'],
  sees_everyone: true,
  csrf: 'token',
  workspace: { name: 'Northlight', zone: 'UTC', language: 'en', public_url: 'http://localhost' },
  quiet: false,
  setup_needed: false,
};

/** A server of the test's own; every call is kept. `undefined` is an answer of 404; a refusal is a response. */
export function serve(answers: (call: Call) => unknown): Call[] {
  const calls: Call[] = [];
  vi.stubGlobal('fetch', async (input: Request | string, init?: RequestInit) => {
    const request = typeof input === 'string' ? undefined : input;
    const url = new URL(request?.url ?? String(input), 'http://localhost');
    const text = request === undefined ? String(init?.body ?? '') : await request.clone().text();
    const call = {
      method: request?.method ?? init?.method ?? 'GET',
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      body: text === '' ? undefined : JSON.parse(text),
    };
    calls.push(call);
    const body = call.path === '/api/v1/session' ? SESSION : answers(call);
    if (body instanceof Response) {
      return body;
    }
    return body === undefined
      ? Response.json({ code: 'not_found', detail: 'it is not there' }, { status: 404 })
      : Response.json(body);
  });
  return calls;
}

/** A page at an address; links lead nowhere but change the address. */
export function showAt(address: string, page: () => ReactNode, path: string) {
  const root = createRootRoute({ component: Outlet });
  const routes = [
    createRoute({ getParentRoute: () => root, path, component: page }),
    createRoute({ getParentRoute: () => root, path: '$', component: () => null }),
  ];
  const history = createMemoryHistory({ initialEntries: [address] });
  const router = createRouter({ routeTree: root.addChildren(routes), history });
  // biome-ignore lint/suspicious/noExplicitAny: the router of a test is not the interface's own
  const shown = show(<RouterProvider router={router as any} />);
  return { ...shown, search: () => router.state.location.search as Record<string, unknown> };
}
