/** A section of the settings: what is in force, where it comes from, and how it is changed. */
import { queryOptions } from '@tanstack/react-query';
import type { paths } from '../../../api/schema';
import { call } from '../../../shared/call';

export const SECTIONS = [
  'workspace',
  'quiet_hours',
  'caps',
  'topics',
  'consent',
  'delivery',
  'smtp',
  'oauth_clients',
  'costs',
] as const;
export type SectionName = (typeof SECTIONS)[number];

/** `file`: as relance.toml says; `here`: changed in the interface; `default`: nobody said anything. */
export type Origin = 'file' | 'here' | 'default';

export type SectionShown = {
  section: string;
  value: unknown;
  /** What would be in force without the change that was made here. */
  file_value?: unknown;
  origin: Origin;
  revision?: string | null;
  changed_by?: string | null;
  changed_at?: string | null;
};

const PATH = '/api/v1/settings/{section}' as keyof paths;
const at = (section: SectionName) => ({ path: { section } });

export const sectionQuery = (section: SectionName) =>
  queryOptions({
    queryKey: ['settings', section],
    queryFn: () => call<SectionShown>('GET', PATH, { params: at(section) }),
  });

const matching = (revision: SectionShown['revision']): { headers?: Record<string, string> } =>
  revision == null ? {} : { headers: { 'If-Match': revision } };

export const putSection = (section: SectionName, value: unknown, revision: SectionShown['revision']) =>
  call<SectionShown | undefined>('PUT', PATH, {
    params: at(section),
    body: { value },
    ...matching(revision),
  });

/** Goes back to what the file says. */
export const resetSection = (section: SectionName, revision: SectionShown['revision']) =>
  call<SectionShown | undefined>('DELETE', PATH, { params: at(section), ...matching(revision) });
