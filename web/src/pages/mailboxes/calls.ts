/** What the pages of mailboxes ask of the server. */
import { queryOptions } from '@tanstack/react-query';
import type { paths } from '../../api/schema';
import { call } from '../../shared/call';

export const STATES = [
  'starting',
  'synchronising',
  'live',
  'failing',
  'login_refused',
  'silent',
  'paused',
] as const;
export type State = (typeof STATES)[number];

export type Tls = 'implicit' | 'starttls' | 'none';
export type Place = { host: string; port: number; tls: Tls };
export type Folders = { inbox?: string | null; sent?: string | null };

export type Mailbox = {
  address: string;
  name?: string | null;
  /** `file`: stands in relance.toml and is changed there. */
  origin: 'file' | 'here';
  provider?: string | null;
  auth: 'password' | 'oauth';
  state: State;
  synced_at?: string | null;
  failure?: { code: string; text: string; since?: string | null } | null;
  /** Of the first reading. */
  progress?: { done: number; total?: number | null } | null;
  folders?: Folders | null;
  /** Reminders that are held until it is read. */
  waiting?: number;
  seen: number;
  unreadable: number;
  aliases?: string[];
  /** Who works with a shared mailbox. */
  members?: string[];
  imap: Place;
  smtp?: Place | null;
  user?: string | null;
  /** The folder of sent mail that was chosen; else it is found. */
  sent_folder?: string | null;
  revision: string;
  /** Whether the person may change it. */
  editable: boolean;
};

/** A mailbox that was removed, and what waits for it. */
export type Gone = { address: string; synced_at: string | null; waiting: number; exact: boolean };

/** What becomes of the reminders that wait for it. */
export type Fate = 'go_on' | 'leave_out';

export type Found = {
  /** The preset. */
  provider?: string | null;
  /** Its name for people. */
  name?: string | null;
  /** `preset`, `mx`, `autoconfig`, `srv`, `guess`, or `none`. */
  source: string;
  imap?: Place | null;
  smtp?: Place | null;
  user?: string | null;
  /** The best first. */
  auth: string[];
  /** Whose button it is. */
  oauth?: string | null;
  /** Whether that button works here. */
  oauth_ready: boolean;
  /** What must be done first. */
  hint: string;
  /** Where it is done. */
  help_url?: string | null;
};

export type Checked = {
  ok: boolean;
  steps: { step: string; ok: boolean; code?: string | null; text?: string | null }[];
  folders: { name: string; role?: string | null }[];
};

export type Wanted = {
  /** An empty one takes it away. */
  name?: string;
  provider?: string;
  imap?: Place;
  smtp?: Place;
  user?: string;
  /** Written, never read; absent keeps the one that is there. */
  password?: string;
  /** Without one for sent mail it is found. */
  folders?: Folders;
  aliases?: string[];
  members?: string[];
};

/** What became of the leave at the provider. */
export type Removed = { revoked: 'revoked' | 'failed' | 'by_hand' | 'none'; revoke_url?: string | null };

const at = (path: string) => path as keyof paths;
const ONE = at('/api/v1/mailboxes/{address}');
const of = (address: string) => ({ params: { path: { address } } });

export const mailboxesQuery = queryOptions({
  // Their health is a part of the overview: what changes it changes this.
  queryKey: ['overview', 'mailboxes'],
  queryFn: () => call<{ items: Mailbox[]; oauth?: string[]; gone?: Gone[] }>('GET', at('/api/v1/mailboxes')),
});

export const discover = (address: string) =>
  call<Found>('POST', at('/api/v1/mailboxes/discover'), { body: { address } });

export type Asked = { address: string; imap: Place; smtp: Place | null; user?: string; password: string };
export const check = (asked: Asked) => call<Checked>('POST', at('/api/v1/mailboxes/check'), { body: asked });

export const putMailbox = (address: string, body: Wanted, revision?: string | null) =>
  call<Mailbox | undefined>('PUT', ONE, {
    ...of(address),
    body,
    ...(revision == null ? {} : { headers: { 'If-Match': revision } }),
  });

export const removeMailbox = (address: string) => call<Removed>('DELETE', ONE, of(address));

export const act = (address: string, what: 'sync' | 'pause' | 'resume') =>
  call<unknown>('POST', at(`/api/v1/mailboxes/{address}/${what}`), of(address));

export const forget = (address: string, waiting: Fate) =>
  call<undefined>('POST', at('/api/v1/mailboxes/{address}/forget'), { ...of(address), body: { waiting } });

/** Where the provider asks the person for leave. */
export const beginOauth = (provider: string, address: string) =>
  call<{ url: string }>('POST', at('/api/v1/mailboxes/oauth/{provider}'), {
    params: { path: { provider } },
    body: { address },
  });
