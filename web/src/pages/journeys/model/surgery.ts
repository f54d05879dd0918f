/**
 * Edits of a YAML text that touch the lines they mean and no other: comments, order and spacing of the rest stay.
 *
 * Each edit names a place by its path and says what the value becomes; the answer is a list of splices. What came of
 * them is read back: where it is not what was meant (a text written in an unusual way), the whole text is written
 * anew from its tree, which keeps comments too. So an edit does what it says, always.
 */
import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  type Node,
  parseDocument,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import {
  type AnyPair,
  colonEnd,
  column,
  contentEnd,
  dashOf,
  isFirstOnLine,
  itemEnd,
  itemStart,
  keyRange,
  lineEnd,
  lineStart,
  pairEnd,
  pairOf,
  rangeOf,
} from './places';
import { afterKey, flow, item, scalar } from './render';
import { expected, isSame, isSamePath, isWithin } from './value';

export type Path = readonly (string | number)[];
/** The text from `from` to `to` becomes `insert`. Positions are those of the text before all of them. */
export type Change = { from: number; to: number; insert: string };

export type Edit =
  /** Sets what stands at a place, and what lies above it when that is not there yet. */
  | { do: 'set'; path: Path; value: unknown; order?: readonly string[] | undefined }
  /** Takes away a key or a member of a list. */
  | { do: 'remove'; path: Path }
  /** Puts a member into a list, before the one at `at`. */
  | { do: 'insert'; list: Path; at: number; value: unknown }
  /** Puts a member of one list into a list; `at` counts as before the move. */
  | { do: 'move'; from: Path; list: Path; at: number };

/** Stands for a member while the list that it comes into is made. */
const STAND_IN = 'stand-in';

/** The text read last: edits come in many for one text. The tree is only looked at. */
let last: { text: string; doc: Document.Parsed } | undefined;

function parse(text: string): Document.Parsed {
  if (last?.text !== text) {
    last = { text, doc: parseDocument(text, { keepSourceTokens: true }) };
  }
  return last.doc;
}

export function applied(text: string, changes: readonly Change[]): string {
  let out = '';
  let at = 0;
  for (const change of changes) {
    out += text.slice(at, change.from) + change.insert;
    at = change.to;
  }
  return out + text.slice(at);
}

/** The splices that make an edit, in order of place. None: it changes nothing. */
export function changesOf(text: string, edit: Edit): Change[] {
  const doc = parse(text);
  if (doc.errors.length > 0) {
    return [];
  }
  const meant = expected(doc.toJS() as unknown, edit);
  let changes: Change[] | undefined;
  try {
    changes = splices(text, doc, edit)?.sort((a, b) => a.from - b.from);
  } catch {
    // An unusual text; the tree is written anew.
  }
  if (changes !== undefined) {
    const after = parseDocument(applied(text, changes));
    if (after.errors.length === 0 && isSame(after.toJS(), meant)) {
      return changes;
    }
  }
  const whole = parseDocument(text);
  rewrite(whole, edit);
  return difference(text, whole.toString({ lineWidth: 0, flowCollectionPadding: true }));
}

/** The shortest single splice between two texts, in whole lines. */
export function difference(before: string, after: string): Change[] {
  if (before === after) {
    return [];
  }
  let from = 0;
  while (from < before.length && before[from] === after[from]) {
    from += 1;
  }
  let end = 0;
  while (
    end < before.length - from &&
    end < after.length - from &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  ) {
    end += 1;
  }
  return [{ from, to: before.length - end, insert: after.slice(from, after.length - end) }];
}

// The same through the tree, for texts whose shape the splices do not know.

function rewrite(doc: Document, edit: Edit): void {
  const value = expected(doc.toJS(), edit);
  switch (edit.do) {
    case 'set':
      doc.setIn(edit.path, doc.createNode(edit.value));
      break;
    case 'remove':
      doc.deleteIn(edit.path);
      break;
    case 'insert':
    case 'move': {
      const list = doc.getIn(edit.list, true);
      const node =
        edit.do === 'insert' ? doc.createNode(edit.value) : (doc.getIn(edit.from, true) as Node | undefined);
      if (isSeq(list) && node !== undefined) {
        const isWithin =
          edit.do === 'move' &&
          isSamePath(edit.from.slice(0, -1), edit.list) &&
          edit.at > Number(edit.from.at(-1));
        if (edit.do === 'move') {
          doc.deleteIn(edit.from);
        }
        list.items.splice(isWithin ? edit.at - 1 : edit.at, 0, node);
      }
      break;
    }
  }
  if (!isSame(doc.toJS(), value)) {
    // Nothing else is left: comments inside go, the rest is what was meant.
    doc.contents = doc.createNode(value) as typeof doc.contents;
  }
}

// The splices.

function splices(text: string, doc: Document.Parsed, edit: Edit): Change[] | undefined {
  switch (edit.do) {
    case 'set':
      return set(text, doc, edit.path, edit.value, edit.order);
    case 'remove':
      return remove(text, doc, edit.path);
    case 'insert':
      return insert(text, doc, edit.list, edit.at, edit.value);
    case 'move':
      return move(text, doc, edit.from, edit.list, edit.at);
  }
}

function nodeAt(doc: Document.Parsed, path: Path): unknown {
  return path.length === 0 ? doc.contents : doc.getIn(path, true);
}

/** Wraps a value into what is missing above it: the deepest place that is there, and what it gets. */
function rooted(doc: Document.Parsed, path: Path, value: unknown): { path: Path; value: unknown } {
  for (let depth = path.length - 1; depth > 0; depth -= 1) {
    const above = nodeAt(doc, path.slice(0, depth));
    if (isMap(above) || isSeq(above)) {
      const wrapped = path.slice(depth + 1).reduceRight<unknown>((inner, part) => wrap(part, inner), value);
      return { path: path.slice(0, depth + 1), value: wrapped };
    }
  }
  const wrapped = path.slice(1).reduceRight<unknown>((inner, part) => wrap(part, inner), value);
  return { path: path.slice(0, 1), value: wrapped };
}

function wrap(part: string | number, inner: unknown): unknown {
  return typeof part === 'number' ? [inner] : { [part]: inner };
}

function set(
  text: string,
  doc: Document.Parsed,
  path: Path,
  value: unknown,
  order: readonly string[] | undefined,
): Change[] | undefined {
  const place = rooted(doc, path, value);
  const last = place.path.at(-1) ?? '';
  const holder = nodeAt(doc, place.path.slice(0, -1));
  if (isMap(holder)) {
    const pair = pairOf(holder, last);
    return pair === undefined
      ? [addPair(text, holder, String(last), place.value, order)]
      : replacePair(text, holder, pair, String(last), place.value);
  }
  if (isSeq(holder) && typeof last === 'number') {
    return last >= holder.items.length
      ? insert(text, doc, place.path.slice(0, -1), last, place.value)
      : [replaceItem(text, holder, last, place.value)];
  }
  return undefined;
}

function replacePair(
  text: string,
  map: YAMLMap,
  pair: AnyPair,
  key: string,
  value: unknown,
): Change[] | undefined {
  if (isScalar(pair.value) && isSame(pair.value.value, value)) {
    return [];
  }
  const range = rangeOf(pair.value);
  const end = pairEnd(text, pair);
  const colon = colonEnd(text, pair);
  if (map.flow) {
    const isThere = range !== undefined && range[1] > range[0];
    return [{ from: isThere ? range[0] : colon, to: end, insert: `${isThere ? '' : ' '}${flow(value)}` }];
  }
  const after = afterKey(key, value, column(text, keyRange(pair)[0]));
  const line = text.slice(colon, lineEnd(text, colon));
  const isInline = range !== undefined && range[1] > range[0] && range[0] < lineEnd(text, colon);
  if (isInline && !after.includes('\n')) {
    return [{ from: range[0], to: end, insert: restyled(pair.value, after.trimStart(), value) }];
  }
  const comment = isInline ? text.slice(end, lineEnd(text, end)).trim() : line.trim();
  // A comment on the line of the key stays there.
  if (comment.startsWith('#')) {
    const [first, ...rest] = after.split('\n');
    const put = [`${first} ${' '.repeat(first === '' ? 0 : 1)}${comment}`, ...rest].join('\n');
    return [
      { from: colon, to: isInline ? lineEnd(text, end) : Math.max(end, lineEnd(text, colon)), insert: put },
    ];
  }
  return [{ from: colon, to: end, insert: after }];
}

/** A text that was in quotes stays in quotes. */
function restyled(node: unknown, plain: string, value: unknown): string {
  const wasQuoted = isScalar(node) && (node as Scalar).type === 'QUOTE_DOUBLE';
  return wasQuoted && typeof value === 'string' && !/^["'|>]/.test(plain) ? JSON.stringify(value) : plain;
}

/** The pair that a new key comes after, by the order in which keys of its sort are written. */
function before(map: YAMLMap, key: string, order: readonly string[] | undefined): AnyPair | undefined {
  const pairs = map.items as AnyPair[];
  const place = order?.indexOf(key) ?? -1;
  if (order === undefined || place < 0) {
    return pairs.at(-1);
  }
  const rank = (pair: AnyPair) => (isScalar(pair.key) ? order.indexOf(String(pair.key.value)) : -1);
  return pairs.filter((pair) => rank(pair) < place).at(-1);
}

function addPair(
  text: string,
  map: YAMLMap,
  key: string,
  value: unknown,
  order: readonly string[] | undefined,
): Change {
  const first = map.items[0] as AnyPair | undefined;
  const previous = before(map, key, order);
  if (map.flow) {
    const pair = `${scalar(key, true)}: ${flow(value)}`;
    const range = rangeOf(map);
    if (range === undefined) {
      throw new Error('a map without a place');
    }
    if (first === undefined) {
      return { from: range[0], to: range[1], insert: `{ ${pair} }` };
    }
    if (previous === undefined) {
      const [at] = keyRange(first);
      return { from: at, to: at, insert: `${pair}, ` };
    }
    const at = pairEnd(text, previous);
    return { from: at, to: at, insert: `, ${pair}` };
  }
  if (first === undefined) {
    throw new Error('an empty block');
  }
  const [start] = keyRange(first);
  const indent = column(text, start);
  const pair = `${scalar(key)}:${afterKey(key, value, indent)}`;
  if (previous === undefined) {
    return { from: start, to: start, insert: `${pair}\n${' '.repeat(indent)}` };
  }
  const at = lineEnd(text, pairEnd(text, previous));
  return { from: at, to: at, insert: `\n${' '.repeat(indent)}${pair}` };
}

function replaceItem(text: string, seq: YAMLSeq, at: number, value: unknown): Change {
  const range = rangeOf(seq.items[at]);
  if (range === undefined) {
    throw new Error('a member without a place');
  }
  const end = contentEnd(text, seq.items[at]) ?? range[1];
  if (seq.flow) {
    return { from: range[0], to: end, insert: flow(value) };
  }
  const dash = dashOf(seq, at);
  const indent = column(text, dash);
  return { from: dash, to: itemEnd(text, seq, at), insert: item(value, indent).trimStart() };
}

function remove(text: string, doc: Document.Parsed, path: Path): Change[] | undefined {
  const last = path.at(-1) ?? '';
  const holder = nodeAt(doc, path.slice(0, -1));
  if (isSeq(holder)) {
    return removeItem(text, holder, Number(last));
  }
  if (!isMap(holder)) {
    return [];
  }
  const pair = pairOf(holder, last);
  if (pair === undefined) {
    return [];
  }
  const at = holder.items.indexOf(pair as (typeof holder.items)[number]);
  const next = holder.items[at + 1] as AnyPair | undefined;
  const previous = holder.items[at - 1] as AnyPair | undefined;
  const [start] = keyRange(pair);
  const range = rangeOf(holder);
  if (next === undefined && previous === undefined) {
    return range === undefined
      ? undefined
      : [{ from: range[0], to: contentEnd(text, holder) ?? range[1], insert: '{}' }];
  }
  if (holder.flow) {
    return next === undefined && previous !== undefined
      ? [{ from: pairEnd(text, previous), to: pairEnd(text, pair), insert: '' }]
      : [{ from: start, to: next === undefined ? pairEnd(text, pair) : keyRange(next)[0], insert: '' }];
  }
  if (!isFirstOnLine(text, start)) {
    // The key beside a dash: the next one takes its place.
    return next === undefined ? undefined : [{ from: start, to: keyRange(next)[0], insert: '' }];
  }
  return [lines(text, lineStart(text, start), pairEnd(text, pair))];
}

/** Takes whole lines away, from the start of one to the end of that in which `to` is. */
function lines(text: string, from: number, to: number): Change {
  const end = lineEnd(text, to);
  return end < text.length
    ? { from, to: end + 1, insert: '' }
    : { from: Math.max(0, from - 1), to: end, insert: '' };
}

function removeItem(text: string, seq: YAMLSeq, at: number): Change[] | undefined {
  const range = rangeOf(seq);
  if (range === undefined || at >= seq.items.length) {
    return undefined;
  }
  if (seq.items.length === 1) {
    return [{ from: range[0], to: contentEnd(text, seq) ?? range[1], insert: '[]' }];
  }
  if (seq.flow) {
    const own = rangeOf(seq.items[at]);
    const next = rangeOf(seq.items[at + 1]);
    const previous = contentEnd(text, seq.items[at - 1]);
    if (own === undefined) {
      return undefined;
    }
    return next === undefined
      ? [{ from: previous ?? own[0], to: contentEnd(text, seq.items[at]) ?? own[1], insert: '' }]
      : [{ from: own[0], to: next[0], insert: '' }];
  }
  return [lines(text, itemStart(text, seq, at), itemEnd(text, seq, at))];
}

function insert(
  text: string,
  doc: Document.Parsed,
  list: Path,
  at: number,
  value: unknown,
): Change[] | undefined {
  const seq = nodeAt(doc, list);
  if (!isSeq(seq) || seq.items.length === 0) {
    return set(text, doc, list, [value], undefined);
  }
  if (seq.flow) {
    const own = rangeOf(seq.items[at]);
    const previous = contentEnd(text, seq.items[at - 1]);
    return own === undefined
      ? previous === undefined
        ? undefined
        : [{ from: previous, to: previous, insert: `, ${flow(value)}` }]
      : [{ from: own[0], to: own[0], insert: `${flow(value)}, ` }];
  }
  return [insertLines(text, doc, list, seq, at, item(value, column(text, dashOf(seq, 0))))];
}

function insertLines(
  text: string,
  doc: Document.Parsed,
  list: Path,
  seq: YAMLSeq,
  at: number,
  put: string,
): Change {
  if (at > 0) {
    const end = lineEnd(text, itemEnd(text, seq, Math.min(at, seq.items.length) - 1));
    return { from: end, to: end, insert: `\n${put}` };
  }
  const holder = nodeAt(doc, list.slice(0, -1));
  const pair = isMap(holder) ? pairOf(holder, list.at(-1) ?? '') : undefined;
  if (pair === undefined) {
    throw new Error('a list without a key');
  }
  const end = lineEnd(text, colonEnd(text, pair));
  return { from: end, to: end, insert: `\n${put}` };
}

function move(text: string, doc: Document.Parsed, from: Path, list: Path, at: number): Change[] | undefined {
  const index = Number(from.at(-1));
  const source = nodeAt(doc, from.slice(0, -1));
  if (!isSeq(source) || source.flow || isWithin(list, from)) {
    return undefined;
  }
  const isOwn = isSamePath(from.slice(0, -1), list);
  if (isOwn && (at === index || at === index + 1)) {
    return [];
  }
  const taken = removeItem(text, source, index);
  if (taken === undefined) {
    return undefined;
  }
  const target = nodeAt(doc, list);
  const start = itemStart(text, source, index);
  const end = lineEnd(text, itemEnd(text, source, index));
  const own = text.slice(start, end);
  const indent = column(text, dashOf(source, index));
  if (!isSeq(target) || target.items.length === 0) {
    // The list is made with a stand-in, in whose place the member's own lines come.
    const made = set(text, doc, list, [STAND_IN], undefined);
    const [first] = made ?? [];
    const dash = first?.insert.indexOf(`- ${STAND_IN}`) ?? -1;
    if (first === undefined || dash < 0 || !isFirstOnLine(first.insert, dash)) {
      return undefined;
    }
    const line = lineStart(first.insert, dash);
    const put =
      first.insert.slice(0, line) +
      shifted(own, dash - line - indent) +
      first.insert.slice(dash + `- ${STAND_IN}`.length);
    return [...taken, { ...first, insert: put }];
  }
  if (target.flow) {
    return undefined;
  }
  const to = column(text, dashOf(target, 0));
  const put = insertLines(text, doc, list, target, at, shifted(own, to - indent));
  // What goes and what comes may meet at one line's end: then the line break before goes, not the one behind.
  const apart = taken.map((one) =>
    put.from > one.from && put.from < one.to && one.from > 0
      ? { ...one, from: one.from - 1, to: one.to - 1 }
      : one,
  );
  return [...apart, put];
}

function shifted(text: string, by: number): string {
  return text
    .split('\n')
    .map((line) => (line.trim() === '' ? line : by >= 0 ? ' '.repeat(by) + line : line.slice(-by)))
    .join('\n');
}
