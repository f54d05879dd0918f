/** Conditions as rows that a person can fill in; what does not fit into rows stays YAML. */
import { isPlain, type Plain } from './render';

export const TESTS = [
  'eq',
  'ne',
  'gt',
  'gte',
  'lt',
  'lte',
  'in',
  'contains',
  'starts_with',
  'exists',
  'missing',
  'before',
  'after',
] as const;
export type Test = (typeof TESTS)[number];

export type Row =
  | { is: 'field'; field: string; test: Test; value: unknown }
  | { is: 'did'; event: string; not: boolean; times: number | undefined; within: string | undefined }
  | { is: 'segment'; segment: string; not: boolean }
  | { is: 'engaged'; within: string | true; not: boolean };
export type Rows = { join: 'all' | 'any'; rows: Row[] };

const WORDS = new Set(['all', 'any', 'not', 'did', 'in_segment', 'engaged', 'has', 'rfm']);

/** The rows of a condition; `undefined` where rows could not say the same. */
export function readRows(condition: unknown): Rows | undefined {
  if (isPlain(condition)) {
    const keys = Object.keys(condition);
    const lists = (['any', 'all'] as const).filter((key) => key in condition);
    const [only] = lists;
    if (only !== undefined && keys.length === 1) {
      return joined(condition[only], only);
    }
    const rows = rowsOf(condition, false);
    return rows === undefined ? undefined : { join: 'all', rows };
  }
  return Array.isArray(condition) ? joined(condition, 'all') : undefined;
}

function joined(list: unknown, join: 'all' | 'any'): Rows | undefined {
  if (!Array.isArray(list)) {
    return undefined;
  }
  const rows: Row[] = [];
  for (const one of list) {
    const inner = isPlain(one) ? rowsOf(one, false) : undefined;
    // A member that says several things is one of them only under `all`.
    if (inner === undefined || (join === 'any' && inner.length !== 1)) {
      return undefined;
    }
    rows.push(...inner);
  }
  return { join, rows };
}

function rowsOf(map: Plain, not: boolean): Row[] | undefined {
  if ('did' in map) {
    const { did, times, within, ...rest } = map;
    const simple = typeof did === 'string' && Object.keys(rest).length === 0;
    const often = times === undefined || typeof times === 'number';
    const since = within === undefined || typeof within === 'string';
    return simple && often && since ? [{ is: 'did', event: did, not, times, within }] : undefined;
  }
  const rows: Row[] = [];
  for (const [key, value] of Object.entries(map)) {
    const row = rowOf(key, value, not);
    if (row === undefined) {
      return undefined;
    }
    rows.push(...row);
  }
  // The denial of several things at once is no row.
  return not && rows.length !== 1 ? undefined : rows;
}

function rowOf(key: string, value: unknown, not: boolean): Row[] | undefined {
  if (key === 'not') {
    return not || !isPlain(value) ? undefined : rowsOf(value, true);
  }
  if (key === 'in_segment') {
    return typeof value === 'string' ? [{ is: 'segment', segment: value, not }] : undefined;
  }
  if (key === 'engaged') {
    return value === true || typeof value === 'string' ? [{ is: 'engaged', within: value, not }] : undefined;
  }
  if (WORDS.has(key) || not) {
    return undefined;
  }
  if (!isPlain(value)) {
    return [{ is: 'field', field: key, test: Array.isArray(value) ? 'in' : 'eq', value }];
  }
  const rows: Row[] = [];
  for (const [word, operand] of Object.entries(value)) {
    if (word === 'exists') {
      rows.push({
        is: 'field',
        field: key,
        test: operand === false ? 'missing' : 'exists',
        value: undefined,
      });
      continue;
    }
    const test = TESTS.find((one) => one === word);
    if (test === undefined || test === 'missing') {
      return undefined;
    }
    rows.push({ is: 'field', field: key, test, value: operand });
  }
  return rows;
}

/** The condition that rows say, as a person would write it. */
export function writeRows({ join, rows }: Rows): unknown {
  const parts = rows.map(writeRow);
  if (join === 'any' && parts.length > 1) {
    return { any: parts };
  }
  const whole: Plain = {};
  for (const part of parts) {
    for (const [key, value] of Object.entries(part)) {
      const there = whole[key];
      if (there === undefined && !('did' in whole) && !('did' in part && Object.keys(whole).length > 0)) {
        whole[key] = value;
      } else if (isPlain(there) && isPlain(value) && !WORDS.has(key) && isApart(there, value)) {
        whole[key] = { ...there, ...value };
      } else {
        // Two things about the same key stand in a list.
        return { all: parts };
      }
    }
  }
  return whole;
}

function isApart(one: Plain, other: Plain): boolean {
  return Object.keys(other).every((key) => !(key in one));
}

function writeRow(row: Row): Plain {
  const denied = (not: boolean, part: Plain): Plain => (not ? { not: part } : part);
  switch (row.is) {
    case 'field':
      return { [row.field]: operand(row) };
    case 'did':
      return denied(row.not, {
        did: row.event,
        ...(row.times === undefined ? {} : { times: row.times }),
        ...(row.within === undefined ? {} : { within: row.within }),
      });
    case 'segment':
      return denied(row.not, { in_segment: row.segment });
    case 'engaged':
      return denied(row.not, { engaged: row.within });
  }
}

function operand(row: Extract<Row, { is: 'field' }>): unknown {
  switch (row.test) {
    case 'eq':
      return row.value;
    case 'in':
      return Array.isArray(row.value) ? row.value : [row.value];
    case 'exists':
      return { exists: true };
    case 'missing':
      return { exists: false };
    case 'ne':
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
    case 'contains':
    case 'starts_with':
    case 'before':
    case 'after':
      return { [row.test]: row.value };
  }
}

/** What a person typed, as the value that they most likely mean. */
export function readOperand(text: string, test: Test): unknown {
  const trimmed = text.trim();
  if (test === 'in') {
    return trimmed.split(',').map((one) => readOperand(one, 'eq'));
  }
  const relative = /^(ago|in)\s+(.+)$/.exec(trimmed);
  if (relative !== null && (test === 'before' || test === 'after' || /^(gt|lt)e?$/.test(test))) {
    return { [relative[1] ?? 'ago']: relative[2] };
  }
  if (test === 'contains' || test === 'starts_with') {
    return text;
  }
  if (trimmed === 'true' || trimmed === 'false') {
    return trimmed === 'true';
  }
  return /^-?(0|[1-9]\d{0,14})(\.\d{1,6})?$/.test(trimmed) ? Number(trimmed) : trimmed;
}

export function writeOperand(value: unknown): string {
  if (Array.isArray(value)) {
    return value.map((one) => writeOperand(one)).join(', ');
  }
  if (isPlain(value)) {
    const [[word, time] = ['', '']] = Object.entries(value);
    return `${word} ${String(time)}`;
  }
  return value === undefined || value === null ? '' : String(value);
}
