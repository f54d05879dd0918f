/** Where keys, values and members stand in a YAML text. */
import { isScalar, type Pair, type YAMLMap, type YAMLSeq } from 'yaml';

export const lineStart = (text: string, at: number) => text.lastIndexOf('\n', at - 1) + 1;
export const lineEnd = (text: string, at: number) => {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
};
export const column = (text: string, at: number) => at - lineStart(text, at);
export const isFirstOnLine = (text: string, at: number) => text.slice(lineStart(text, at), at).trim() === '';

export type Ranged = { range?: [number, number, number] | null | undefined };

export function rangeOf(node: unknown): [number, number] | undefined {
  const range = (node as Ranged | null | undefined)?.range;
  return range ? [range[0], range[1]] : undefined;
}

/** Where the words of a node end, without the line break of a block. */
export function contentEnd(text: string, node: unknown): number | undefined {
  const range = rangeOf(node);
  if (range === undefined) {
    return undefined;
  }
  let end = range[1];
  while (end > range[0] && /\s/.test(text[end - 1] ?? '')) {
    end -= 1;
  }
  return end;
}

export type AnyPair = Pair<unknown, unknown>;

export function keyRange(pair: AnyPair): [number, number] {
  const range = rangeOf(pair.key);
  if (range === undefined) {
    throw new Error('a key without a place');
  }
  return range;
}

/** Right after the colon of a pair. */
export function colonEnd(text: string, pair: AnyPair): number {
  const [, end] = keyRange(pair);
  const colon = text.indexOf(':', end);
  return colon < 0 ? end : colon + 1;
}

export function pairEnd(text: string, pair: AnyPair): number {
  const range = rangeOf(pair.value);
  const colon = colonEnd(text, pair);
  if (range === undefined || range[1] <= range[0]) {
    return colon;
  }
  return Math.max(colon, contentEnd(text, pair.value) ?? colon);
}

export function pairOf(map: YAMLMap, key: string | number): AnyPair | undefined {
  return map.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(key)) as
    | AnyPair
    | undefined;
}

/** Where the dash of a member stands. */
export function dashOf(seq: YAMLSeq, at: number): number {
  const token = (
    seq as { srcToken?: { type: string; items: { start: { type: string; offset: number }[] }[] } }
  ).srcToken;
  const dash = token?.items[at]?.start.find((one) => one.type === 'seq-item-ind');
  if (dash === undefined) {
    throw new Error('a list without dashes');
  }
  return dash.offset;
}

export function itemEnd(text: string, seq: YAMLSeq, at: number): number {
  const dash = dashOf(seq, at);
  const range = rangeOf(seq.items[at]);
  if (range === undefined || range[1] <= range[0]) {
    return dash + 1;
  }
  return contentEnd(text, seq.items[at]) ?? dash + 1;
}

/** Where the lines of a member begin: comments right above it, as far in as it is, are its own. */
export function itemStart(text: string, seq: YAMLSeq, at: number): number {
  const dash = dashOf(seq, at);
  if (!isFirstOnLine(text, dash)) {
    throw new Error('a dash in the middle of a line');
  }
  const indent = column(text, dash);
  let start = lineStart(text, dash);
  while (start > 0) {
    const above = lineStart(text, start - 1);
    const line = text.slice(above, start - 1);
    if (line.search(/\S/) !== indent || line[indent] !== '#') {
      break;
    }
    start = above;
  }
  return start;
}
