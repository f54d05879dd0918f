/**
 * The conditions of a segment as the builder shows them, read from the nodes of its YAML text.
 *
 * Each condition remembers where in the text it stands, so that a change touches that place alone and remarks,
 * order and layout of all else stay (see change.ts). What the builder has no words for is shown as text.
 */
import {
  type Document,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';

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
  'before',
  'after',
] as const;
export type TestWord = (typeof TESTS)[number];

export const RFM_GROUPS = [
  'champions',
  'loyal',
  'promising',
  'new',
  'needs_attention',
  'at_risk',
  'cannot_lose',
  'hibernating',
  'lost',
] as const;

/** Where a condition stands. */
export type Place =
  /** The whole value under a key. */
  | { in: 'slot'; map: YAMLMap; key: string }
  /** A member of a list. */
  | { in: 'item'; list: YAMLSeq; at: number }
  /** One of several keys of a map, which hold together. */
  | { in: 'pair'; map: YAMLMap; pair: Pair; owner: Place };

export type Test = { word: TestWord; value: unknown };

export type Leaf =
  | { kind: 'field'; field: string; tests: Test[] }
  | { kind: 'did'; deed: Deed }
  | { kind: 'in_segment'; segment: string }
  | { kind: 'engaged'; value: string | boolean }
  | { kind: 'has'; what: string; where: Condition | undefined }
  | { kind: 'rfm'; scores: Record<string, unknown>; group: string | undefined };

/** `did`, with how often, since when, of which sort, and what followed. */
export type Deed = {
  node: YAMLMap;
  event: string;
  times: Times | undefined;
  within: string | undefined;
  where: Condition | undefined;
  then: Deed | undefined;
};
export type Times = { atLeast?: number; atMost?: number };

export type Group = {
  kind: 'group';
  mode: 'all' | 'any';
  parts: Condition[];
  /** Its list; a map of several conditions, or a single one, has none. */
  list: YAMLSeq | undefined;
};

export type Condition = {
  /** Its path in the text. */
  id: string;
  place: Place;
  isNot: boolean;
  /** The node without `not`; `undefined` where nothing is written yet. */
  node: Node | undefined;
  what: Leaf | Group | { kind: 'other' };
};

/** Levels that are read; deeper ones stay text. The server refuses them anyway. */
const DEPTH_MAX = 16;
const RFM_KEYS = new Set(['recency', 'frequency', 'monetary', 'group']);
const DID_KEYS = new Set(['did', 'times', 'within', 'where', 'then']);

/** What stands in a slot, as a group: a single condition is a group of one. */
export function readRoot(map: YAMLMap, key: string, path: string): Condition {
  const node = map.get(key, true) as Node | undefined;
  const place: Place = { in: 'slot', map, key };
  const isEmpty = node === undefined || (isScalar(node) && (node.value === null || node.value === ''));
  if (isEmpty) {
    return root(path, place, node, []);
  }
  const one = read(node, place, path, 0);
  return one.what.kind === 'group' && !one.isNot ? one : root(path, place, node, [one]);
}

function root(id: string, place: Place, node: Node | undefined, parts: Condition[]): Condition {
  return { id, place, isNot: false, node, what: { kind: 'group', mode: 'all', parts, list: undefined } };
}

function read(node: Node, place: Place, path: string, depth: number): Condition {
  const plain = { id: path, place, isNot: false, node };
  if (depth > DEPTH_MAX) {
    return { ...plain, what: { kind: 'other' } };
  }
  if (isSeq(node)) {
    return { ...plain, what: group('all', node, path, depth) };
  }
  if (!isMap(node)) {
    return { ...plain, what: { kind: 'other' } };
  }
  const pairs = node.items.filter(isPair) as Pair[];
  const has = (key: string) => pairs.some((pair) => nameOf(pair) === key);
  if (has('did')) {
    const deed = readDeed(node, path, depth);
    return { ...plain, what: deed === undefined ? { kind: 'other' } : { kind: 'did', deed } };
  }
  if (has('has')) {
    const what = String(node.get('has') ?? '');
    return { ...plain, what: { kind: 'has', what, where: readWhere(node, path, depth) } };
  }
  const [only] = pairs;
  if (pairs.length === 1 && only !== undefined) {
    return readPair(only, place, path, depth, node);
  }
  const parts = pairs.map((pair) => {
    const at: Place = { in: 'pair', map: node, pair, owner: place };
    return readPair(pair, at, `${path}.${nameOf(pair)}`, depth + 1, node);
  });
  return { ...plain, what: { kind: 'group', mode: 'all', parts, list: undefined } };
}

function group(mode: 'all' | 'any', list: YAMLSeq, path: string, depth: number): Group {
  const parts = list.items.map((item, at) =>
    read(item as Node, { in: 'item', list, at }, `${path}[${at}]`, depth + 1),
  );
  return { kind: 'group', mode, parts, list };
}

function readPair(pair: Pair, place: Place, path: string, depth: number, map: YAMLMap): Condition {
  const name = nameOf(pair);
  const value = pair.value as Node | null;
  const plain = { id: path, place, isNot: false, node: map as Node };
  const other: Condition = { ...plain, what: { kind: 'other' } };
  if (value === null) {
    return other;
  }
  switch (name) {
    case 'all':
    case 'any':
      return isSeq(value) ? { ...plain, what: group(name, value, path, depth) } : other;
    case 'not': {
      const inner = read(value, { in: 'slot', map, key: 'not' }, `${path}.not`, depth + 1);
      // Twice not is shown as it is written.
      return inner.isNot ? other : { ...inner, id: path, place, isNot: true };
    }
    case 'in_segment':
      return isScalar(value)
        ? { ...plain, what: { kind: 'in_segment', segment: String(value.value ?? '') } }
        : other;
    case 'engaged':
      return isScalar(value) && (typeof value.value === 'string' || typeof value.value === 'boolean')
        ? { ...plain, what: { kind: 'engaged', value: value.value } }
        : other;
    case 'rfm':
      return readRfm(value, plain) ?? other;
    default: {
      const tests = readTests(value);
      return tests === undefined ? other : { ...plain, what: { kind: 'field', field: name, tests } };
    }
  }
}

function readRfm(value: Node, plain: Omit<Condition, 'what'>): Condition | undefined {
  if (!isMap(value)) {
    return undefined;
  }
  const { group, ...scores } = value.toJSON() as Record<string, unknown>;
  const isKnown = Object.keys(scores).every((key) => RFM_KEYS.has(key));
  return isKnown
    ? { ...plain, what: { kind: 'rfm', scores, group: group === undefined ? undefined : String(group) } }
    : undefined;
}

function readTests(value: Node): Test[] | undefined {
  if (isScalar(value)) {
    return [{ word: 'eq', value: value.value }];
  }
  if (isSeq(value)) {
    const values: unknown = value.toJSON();
    return Array.isArray(values) && values.every(isPlain) ? [{ word: 'in', value: values }] : undefined;
  }
  if (!isMap(value)) {
    return undefined;
  }
  const tests = Object.entries(value.toJSON() as Record<string, unknown>);
  const isKnown = tests.every(([word]) => TESTS.some((one) => one === word));
  return isKnown && tests.length > 0
    ? tests.map(([word, of]) => ({ word: word as TestWord, value: of }))
    : undefined;
}

const isPlain = (one: unknown) => one === null || typeof one !== 'object';

function readDeed(node: YAMLMap, path: string, depth: number): Deed | undefined {
  const isKnown = node.items.every((pair) => DID_KEYS.has(nameOf(pair)));
  const times = readTimes(node.get('times'));
  if (!isKnown || times === null || depth > DEPTH_MAX) {
    return undefined;
  }
  const next = node.get('then', true);
  const then = isMap(next) ? readDeed(next, `${path}.then`, depth + 1) : undefined;
  if (next !== undefined && then === undefined) {
    return undefined;
  }
  const within = node.get('within');
  return {
    node,
    event: String(node.get('did') ?? ''),
    times,
    within: within === undefined ? undefined : String(within),
    where: readWhere(node, path, depth),
    then,
  };
}

function readWhere(node: YAMLMap, path: string, depth: number): Condition | undefined {
  const where = node.get('where', true);
  if (where === undefined) {
    return undefined;
  }
  const place: Place = { in: 'slot', map: node, key: 'where' };
  const own = `${path}.where`;
  const one = read(where as Node, place, own, depth + 1);
  return one.what.kind === 'group' && !one.isNot ? one : root(own, place, where as Node, [one]);
}

/** `null` where it cannot be shown. */
function readTimes(value: unknown): Times | undefined | null {
  if (value === undefined) {
    return undefined;
  }
  if (typeof value === 'number') {
    return { atLeast: value };
  }
  if (!isMap(value)) {
    return null;
  }
  const times: Times = {};
  for (const [word, of] of Object.entries(value.toJSON() as Record<string, unknown>)) {
    if (typeof of !== 'number') {
      return null;
    }
    switch (word) {
      case 'eq':
        times.atLeast = of;
        times.atMost = of;
        break;
      case 'gte':
        times.atLeast = of;
        break;
      case 'gt':
        times.atLeast = of + 1;
        break;
      case 'lte':
        times.atMost = of;
        break;
      case 'lt':
        times.atMost = of - 1;
        break;
      default:
        return null;
    }
  }
  return times;
}

export function nameOf(pair: Pair): string {
  return String(isScalar(pair.key) ? pair.key.value : pair.key);
}

/** What a file defines: one segment, a list by hand, or grades. */
export type Definition =
  | { sort: 'condition'; root: Condition }
  | { sort: 'list' }
  | { sort: 'grades'; ways: Way[]; list: YAMLSeq | undefined }
  | { sort: 'broken' };

export type Way = { map: YAMLMap; at: number; value: unknown; root: Condition | undefined };

export function readDefinition(document: Document): Definition {
  const map = document.contents;
  if (document.errors.length > 0 || !isMap(map)) {
    return { sort: 'broken' };
  }
  if (map.get('format') === 'grades/1') {
    const list = map.get('ways', true);
    const ways = isSeq(list) ? list.items.flatMap((item, at) => readWay(item, at)) : [];
    return { sort: 'grades', ways, list: isSeq(list) ? list : undefined };
  }
  if (map.get('listed') === true) {
    return { sort: 'list' };
  }
  return { sort: 'condition', root: readRoot(map as YAMLMap, 'when', 'when') };
}

function readWay(item: unknown, at: number): Way[] {
  if (!isMap(item)) {
    return [];
  }
  const map = item as YAMLMap;
  const isLast = map.has('else');
  return [
    {
      map,
      at,
      value: map.get(isLast ? 'else' : 'is'),
      root: isLast ? undefined : readRoot(map, 'if', `ways[${at}].if`),
    },
  ];
}
