/** What the settings ask of the server: accounts, keys, the audit, what is in force. */
import { queryOptions } from '@tanstack/react-query';
import { answer, api } from '../../api/client';
import type { components } from '../../api/schema';

type Schemas = components['schemas'];
export type User = Schemas['User'];
export type Invited = Schemas['Invited'];
export type Device = Schemas['Device'];
export type Key = Schemas['Key'];
export type AuditLine = Schemas['AuditLine'];
export type Due = Schemas['DueShown'];
export type Status = Schemas['Status'];
/** What is in force, without secrets. */
export type InForce = Schemas['Settings'];
/** A section of it, whose fields are free. */
export type Fields = Record<string, unknown>;

export const putMe = (body: Schemas['MePut']) => answer(api.PUT('/api/v1/me', { body }));
/** All other sessions end; this one goes on, signed in anew. */
export const putPassword = (body: Schemas['PasswordPut']) => answer(api.PUT('/api/v1/me/password', { body }));
export const beginTotp = () => answer(api.POST('/api/v1/me/totp'));
export const confirmTotp = (code: string) => answer(api.POST('/api/v1/me/totp/confirm', { body: { code } }));
/** Other recovery codes, by the password once more; the old ones are good no more. */
export const renewCodes = (password: string) =>
  answer(api.POST('/api/v1/me/totp/recovery', { body: { password } }));
export const endTotp = (password: string) => answer(api.DELETE('/api/v1/me/totp', { body: { password } }));

export const devicesQuery = queryOptions({
  queryKey: ['session', 'devices'],
  queryFn: () => answer(api.GET('/api/v1/me/sessions')),
});
/** Ends one session, or all but the one that asks. */
export const endDevice = (id?: string) =>
  id === undefined
    ? answer(api.DELETE('/api/v1/me/sessions'))
    : answer(api.DELETE('/api/v1/me/sessions/{id}', { params: { path: { id } } }));

export const usersQuery = queryOptions({
  queryKey: ['users'],
  queryFn: () => answer(api.GET('/api/v1/users')),
});
const ofUser = (address: string) => ({ params: { path: { address } } });
export const postUser = (body: Schemas['UserPost']) => answer(api.POST('/api/v1/users', { body }));
export const putUser = (address: string, body: Schemas['UserPut']) =>
  answer(api.PUT('/api/v1/users/{address}', { ...ofUser(address), body }));
export const removeUser = (address: string) => answer(api.DELETE('/api/v1/users/{address}', ofUser(address)));
export const inviteAgain = (address: string) =>
  answer(api.POST('/api/v1/users/{address}/invitation', ofUser(address)));

export const keysQuery = queryOptions({
  queryKey: ['keys'],
  queryFn: () => answer(api.GET('/api/v1/keys')),
});
export const postKey = (body: Schemas['KeyPost']) => answer(api.POST('/api/v1/keys', { body }));
export const removeKey = (id: string) =>
  answer(api.DELETE('/api/v1/keys/{id}', { params: { path: { id } } }));

export type AuditAsked = { by?: string; object?: string; action?: string; from?: string; until?: string };
export const audit = (asked: AuditAsked, cursor: string | undefined, signal: AbortSignal) =>
  answer(
    api.GET('/api/v1/audit', {
      params: { query: { ...asked, ...(cursor === undefined ? {} : { cursor }) } },
      signal,
    }),
  );

export const statusQuery = queryOptions({
  queryKey: ['overview', 'status'],
  queryFn: () => answer(api.GET('/api/v1/status')),
});
export const release = (overdue: 'send' | 'skip') =>
  answer(api.POST('/api/v1/release', { body: { overdue } }));

export const inForceQuery = queryOptions({
  queryKey: ['settings'],
  queryFn: () => answer(api.GET('/api/v1/settings')),
});
export const sendTest = (channel: string) => answer(api.POST('/api/v1/settings/test', { body: { channel } }));
