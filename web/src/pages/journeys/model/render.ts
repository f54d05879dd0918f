/**
 * Values as the text of a journey: steps and their ways as blocks, all else on one line in braces, as people write it.
 *
 * Knows nothing of where the text goes; see edits of text in `surgery.ts`.
 */
import { stringify } from 'yaml';

/** Beyond it a map or list in braces is written as a block. */
const FLOW_CHARS_MAX = 110;
const INDENT = 2;
/** Keys whose lists hold steps or arms: always blocks. */
const BLOCK_LISTS = new Set(['steps', 'then', 'else', 'otherwise', 'branch', 'split', 'exit']);
/** Keys of such lists whose members are written in braces. */
const FLOW_MEMBERS = new Set(['exit']);

export type Plain = Record<string, unknown>;

export function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text, number or boolean as one token; a text of several lines in quotes. */
export function scalar(value: unknown, inFlow = false): string {
  if (value === null || value === undefined) {
    return 'null';
  }
  if (typeof value !== 'string') {
    return String(value);
  }
  if (/[\n\r\t\u0085\u2028\u2029\ufeff]/.test(value)) {
    return JSON.stringify(value);
  }
  // The older version of YAML takes more texts for something else (10:00, yes): what it quotes is safe everywhere.
  const text = stringify(value, { version: '1.1', lineWidth: 0 }).trimEnd();
  const isQuoted = /^["'|>]/.test(text);
  if (/[\n]/.test(text) || (!isQuoted && inFlow && needsQuotes(value))) {
    return JSON.stringify(value);
  }
  return text;
}

function needsQuotes(text: string): boolean {
  return /[,[\]{}]/.test(text) || (text.includes(':') && !/^[\d:-]+$/.test(text));
}

/** A value in braces, on one line. */
export function flow(value: unknown): string {
  if (Array.isArray(value)) {
    return `[${value.map(flow).join(', ')}]`;
  }
  if (isPlain(value)) {
    const pairs = Object.entries(value).map(([key, one]) => `${scalar(key, true)}: ${flow(one)}`);
    return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
  }
  return scalar(value, true);
}

function pad(indent: number): string {
  return ' '.repeat(indent);
}

/** What stands after `key:` in a block, with the space or line break before it. `indent` is the key's. */
export function afterKey(key: string, value: unknown, indent: number): string {
  if (value === null || value === undefined) {
    return '';
  }
  if (typeof value === 'string' && isBlockText(value)) {
    return ` ${literal(value, indent + INDENT)}`;
  }
  if (Array.isArray(value) && value.length > 0 && isBlockList(key, value)) {
    const members = value.map((one) =>
      FLOW_MEMBERS.has(key) && flow(one).length <= FLOW_CHARS_MAX
        ? `${pad(indent + INDENT)}- ${flow(one)}`
        : item(one, indent + INDENT),
    );
    return `\n${members.join('\n')}`;
  }
  if (typeof value === 'object') {
    const line = flow(value);
    if (line.length <= FLOW_CHARS_MAX || Object.keys(value).length === 0) {
      return ` ${line}`;
    }
    return Array.isArray(value)
      ? `\n${value.map((one) => item(one, indent + INDENT)).join('\n')}`
      : `\n${pad(indent + INDENT)}${block(value as Plain, indent + INDENT)}`;
  }
  return ` ${scalar(value)}`;
}

function isBlockList(key: string, value: unknown[]): boolean {
  return BLOCK_LISTS.has(key) || (key === 'wait_for' && value.length > 0);
}

/** Texts of several lines are written as such, unless they have something that would not come back the same. */
function isBlockText(text: string): boolean {
  return text.includes('\n') && !/[\r\t\u0085\u2028\u2029\ufeff]|^\s| \n|\n\n$| $/.test(text);
}

function literal(text: string, indent: number): string {
  const ends = text.endsWith('\n');
  const lines = (ends ? text.slice(0, -1) : text).split('\n');
  return `${ends ? '|' : '|-'}\n${lines.map((line) => (line === '' ? '' : pad(indent) + line)).join('\n')}`;
}

/** The pairs of a map in a block; the first without its indent, since a dash or a key stands before it. */
export function block(value: Plain, indent: number): string {
  return Object.entries(value)
    .map(([key, one]) => `${scalar(key)}:${afterKey(key, one, indent)}`)
    .join(`\n${pad(indent)}`);
}

/** One member of a list in a block, from its indent on, without a line break at its end. */
export function item(value: unknown, indent: number): string {
  if (isPlain(value) && Object.keys(value).length > 0) {
    return `${pad(indent)}- ${block(value, indent + INDENT)}`;
  }
  return `${pad(indent)}- ${typeof value === 'object' && value !== null ? flow(value) : scalar(value)}`;
}
