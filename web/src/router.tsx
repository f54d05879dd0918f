/** Every page and its address. A page is loaded when it is opened first. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
} from '@tanstack/react-router';
import { NotFound } from './shell/NotFound';
import { PageFailure } from './shell/PageFailure';
import { Shell } from './shell/Shell';

/** What the address says beside its path: pages read it as texts and forgive what they do not know. */
export type Search = Record<string, string | number | boolean | undefined>;
const search = (all: Record<string, unknown>): Search => all as Search;

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound });
/** Pages for whoever is signed in. */
const inside = createRoute({ getParentRoute: () => root, id: 'inside', component: Shell });

// biome-ignore format: a table
const routes = {
  inside: [
    page('/', () => import('./pages/overview/Overview'), 'Overview'),
    page('/approvals', () => import('./pages/approvals/Approvals'), 'Approvals'),
    page('/documents', () => import('./pages/documents/Documents'), 'Documents'),
    page('/documents/$contact/$document', () => import('./pages/documents/Document'), 'Document'),
    page('/payments', () => import('./pages/payments/Payments'), 'Payments'),
    page('/recognition', () => import('./pages/recognition/Recognition'), 'Recognition'),
    page('/contacts', () => import('./pages/contacts/Contacts'), 'Contacts'),
    page('/contacts/$id', () => import('./pages/contacts/Contact'), 'Contact'),
    page('/tasks', () => import('./pages/tasks/Tasks'), 'Tasks'),
    page('/messages', () => import('./pages/messages/Messages'), 'Messages'),
    page('/reports', () => import('./pages/reports/Reports'), 'Reports'),
    page('/journeys', () => import('./pages/journeys/Journeys'), 'Journeys'),
    page('/journeys/$id', () => import('./pages/journeys/Journey'), 'Journey'),
    page('/segments', () => import('./pages/segments/Segments'), 'Segments'),
    page('/segments/$id', () => import('./pages/segments/Segment'), 'Segment'),
    page('/templates', () => import('./pages/templates/Templates'), 'Templates'),
    page('/templates/$id', () => import('./pages/templates/Template'), 'Template'),
    page('/lists', () => import('./pages/lists/Lists'), 'Lists'),
    page('/lists/$id', () => import('./pages/lists/List'), 'List'),
    page('/imports', () => import('./pages/imports/Imports'), 'Imports'),
    page('/imports/$id', () => import('./pages/imports/Import'), 'Import'),
    page('/settings', () => import('./pages/settings/Settings'), 'Settings'),
    page('/settings/$part', () => import('./pages/settings/Settings'), 'Settings'),
  ],
  outside: [
    page('/sign-in', () => import('./pages/access/SignIn'), 'SignIn', root),
    page('/setup', () => import('./pages/access/Setup'), 'Setup', root),
    page('/enter', () => import('./pages/access/Enter'), 'Enter', root),
    page('/forgotten', () => import('./pages/access/Forgotten'), 'Forgotten', root),
    page('/reset', () => import('./pages/access/Reset'), 'Reset', root),
    page('/invitation', () => import('./pages/access/Invitation'), 'Invitation', root),
  ],
};

function page<Path extends string, Name extends string>(
  path: Path,
  load: () => Promise<Record<Name, () => React.ReactNode>>,
  name: Name,
  parent: typeof root | typeof inside = inside,
) {
  return createRoute({
    getParentRoute: () => parent,
    path,
    component: lazyRouteComponent(load, name),
    validateSearch: search,
    errorComponent: PageFailure,
  });
}

export const router = createRouter({
  routeTree: root.addChildren([inside.addChildren(routes.inside), ...routes.outside]),
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
