/** What columns become, as the form shows it and as the `import/1` text says it. */
import { parse, stringify } from 'yaml';

export const FIELDS = [
  'email',
  'phone',
  'user_id',
  'first_name',
  'last_name',
  'name',
  'company',
  'owner',
  'language',
  'timezone',
  'country',
  'birthday',
  'created_at',
  'tags',
] as const;
export const CHANNELS = ['email', 'sms', 'voice', 'whatsapp', 'telegram'] as const;
export const TRAIT_KINDS = ['text', 'number', 'yes_no', 'date', 'moment', 'list'] as const;
export type TraitKind = (typeof TRAIT_KINDS)[number];

export const KEYS = ['user_id', 'email', 'phone'] as const;
export const MODES = ['upsert', 'only_new', 'only_existing'] as const;
export const DATES = ['certain', 'day_first', 'month_first'] as const;
export const DECIMALS = ['certain', 'comma', 'point'] as const;
export const BAD_CELLS = ['refuse_row', 'leave_out'] as const;

export type Target =
  | { kind: 'skip' }
  | { kind: 'field'; field: string }
  | { kind: 'trait'; name: string; type: string }
  | { kind: 'consent'; channel: string }
  | { kind: 'topic'; topic: string };

/** Every key of the text; what the form does not show is kept. */
export type Mapping = { columns: Record<string, unknown> } & Record<string, unknown>;

export function readMapping(text: string): Mapping | undefined {
  try {
    const read: unknown = parse(text);
    if (typeof read !== 'object' || read === null) {
      return undefined;
    }
    const columns = (read as { columns?: unknown }).columns;
    return {
      ...(read as Record<string, unknown>),
      columns: typeof columns === 'object' && columns !== null ? (columns as Record<string, unknown>) : {},
    };
  } catch {
    return undefined;
  }
}

export function writeMapping(mapping: Mapping): string {
  const { columns, ...rest } = mapping;
  const told = Object.fromEntries(
    Object.entries(rest).filter(([, value]) => value !== undefined && value !== ''),
  );
  return stringify({ ...told, columns }, { lineWidth: 0 });
}

export function targetOf(value: unknown): Target {
  if (typeof value === 'string') {
    return value === 'skip' ? { kind: 'skip' } : { kind: 'field', field: value };
  }
  const { trait, type, consent, topic } = (value ?? {}) as Record<string, unknown>;
  if (typeof trait === 'string') {
    return { kind: 'trait', name: trait, type: typeof type === 'string' ? type : 'text' };
  }
  if (typeof consent === 'string') {
    return { kind: 'consent', channel: consent };
  }
  return typeof topic === 'string' ? { kind: 'topic', topic } : { kind: 'skip' };
}

export function writtenTarget(target: Target): unknown {
  switch (target.kind) {
    case 'skip':
      return 'skip';
    case 'field':
      return target.field;
    case 'trait':
      return { trait: target.name, type: target.type };
    case 'consent':
      return { consent: target.channel };
    case 'topic':
      return { topic: target.topic };
  }
}

/** A name for a trait, made of a column's head. */
export function traitName(head: string): string {
  return (
    head
      .trim()
      .replace(/[\s.]+/g, '_')
      .slice(0, 64) || 'field'
  );
}

/** What keeps a mapping from being used, in the words of the catalogue. */
export function gaps(mapping: Mapping): ('key' | 'twice')[] {
  const targets = Object.values(mapping.columns).map(targetOf);
  const fields = targets.flatMap((one) => (one.kind === 'field' ? [one.field] : []));
  const found: ('key' | 'twice')[] = [];
  if (!KEYS.some((key) => fields.includes(key))) {
    found.push('key');
  }
  if (new Set(fields).size !== fields.length) {
    found.push('twice');
  }
  return found;
}
