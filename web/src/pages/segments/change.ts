/** Changes of a segment's text, one condition at a time, on the nodes that condition.ts read. */
import { type Document, isMap, isScalar, isSeq, type Node, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import type { Condition, Deed, Place, Test, Times } from './condition';

/** A condition as plain values, as it is written. */
export type Written = Record<string, unknown>;

/** Makes a node; comparisons and lists of values stand in one line. */
export function make(document: Document, value: unknown): Node {
  const node = document.createNode(value) as Node;
  flatten(node, true);
  return node;
}

function flatten(node: unknown, isTop: boolean): void {
  if (isMap(node)) {
    for (const pair of node.items) {
      flatten(pair.value, false);
    }
    node.flow = !isTop && node.items.every((pair) => isScalar(pair.value));
  } else if (isSeq(node)) {
    for (const item of node.items) {
      flatten(item, true);
    }
    node.flow = node.items.length > 0 && node.items.every(isScalar);
  }
}

/** Puts a condition in the place of another. */
export function replace(place: Place, node: Node): void {
  switch (place.in) {
    case 'slot':
      place.map.set(place.key, node);
      return;
    case 'item':
      place.list.items[place.at] = node;
      return;
    case 'pair':
      replace(explode(place), node);
  }
}

/** Turns a map of several conditions into a list of them, and tells where one of them stands then. */
function explode(place: Extract<Place, { in: 'pair' }>): Place {
  const list = listOf(place.map);
  replace(place.owner, list);
  return { in: 'item', list, at: place.map.items.indexOf(place.pair) };
}

function listOf(map: YAMLMap): YAMLSeq {
  const list = new YAMLSeq();
  list.flow = map.flow ?? false;
  list.items = map.items.map((pair) => {
    const one = new YAMLMap();
    one.flow = map.flow ?? false;
    one.items = [pair];
    return one;
  });
  return list;
}

/** Takes a condition away; a nested group that is left without any goes with it. */
export function remove(place: Place): void {
  switch (place.in) {
    case 'slot':
      if (place.key === 'when' || place.key === 'if') {
        const empty = new YAMLSeq();
        empty.flow = true;
        place.map.set(place.key, empty);
      } else {
        place.map.delete(place.key);
      }
      return;
    case 'item':
      place.list.items.splice(place.at, 1);
      return;
    case 'pair':
      place.map.items = place.map.items.filter((one) => one !== place.pair);
  }
}

export function removePart(parent: Condition, part: Condition): void {
  const isLast = parent.what.kind === 'group' && parent.what.parts.length === 1;
  remove(isLast ? parent.place : part.place);
}

/** Puts a condition behind the others of a group. */
export function add(document: Document, group: Condition, written: Written | Written[]): void {
  if (group.what.kind !== 'group') {
    return;
  }
  const node = make(document, written);
  const { list, parts } = group.what;
  if (list !== undefined) {
    list.flow = false;
    list.items.push(node);
    return;
  }
  const grown = new YAMLSeq();
  if (parts.length > 1 && isMap(group.node)) {
    grown.items = listOf(group.node as YAMLMap).items;
    for (const item of grown.items) {
      if (isMap(item)) {
        item.flow = false;
      }
    }
  } else if (parts.length > 0 && group.node !== undefined) {
    grown.items = [group.node];
  }
  grown.items.push(node);
  putBack(group, grown);
}

/** How the parts of a group count together. */
export function setMode(group: Condition, mode: 'all' | 'any', isNot: boolean): void {
  if (group.what.kind !== 'group') {
    return;
  }
  let list = group.what.list;
  if (list === undefined) {
    list = new YAMLSeq();
    if (group.what.parts.length > 1 && isMap(group.node)) {
      list.items = listOf(group.node as YAMLMap).items;
    } else if (group.node !== undefined && group.what.parts.length > 0) {
      list.items = [group.node];
    }
  }
  const inner = mode === 'any' ? mapOf('any', list) : list;
  const isBareSlot = group.place.in === 'slot';
  const whole = mode === 'all' && !isBareSlot && !isNot ? mapOf('all', list) : inner;
  replace(group.place, isNot ? mapOf('not', whole) : whole);
}

function mapOf(key: string, value: Node): YAMLMap {
  const map = new YAMLMap();
  map.items = [new Pair(new Scalar(key), value)];
  return map;
}

function putBack(group: Condition, list: YAMLSeq): void {
  const bare = group.what.kind === 'group' && group.what.mode === 'any' ? mapOf('any', list) : list;
  replace(group.place, group.isNot ? mapOf('not', bare) : bare);
}

/** Says the opposite. */
export function setNot(condition: Condition, isNot: boolean): void {
  if (condition.node === undefined || condition.isNot === isNot) {
    return;
  }
  const bare = bareOf(condition);
  replace(condition.place, isNot ? mapOf('not', bare) : bare);
}

/** The node of a condition alone: of one among several keys of a map, a map of its own. */
function bareOf(condition: Condition): Node {
  const { place, node } = condition;
  if (place.in === 'pair' && !condition.isNot) {
    const map = new YAMLMap();
    map.flow = place.map.flow ?? false;
    map.items = [place.pair];
    return map;
  }
  return node as Node;
}

/** Writes another condition of the same or another sort in its place; what stays equal stays as it is written. */
export function rewrite(document: Document, condition: Condition, written: Written): void {
  const { place, node } = condition;
  if (place.in === 'pair' && !condition.isNot) {
    const [entry] = Object.entries(written);
    if (
      entry !== undefined &&
      Object.keys(written).length === 1 &&
      !('did' in written) &&
      !('has' in written)
    ) {
      place.pair.key = new Scalar(entry[0]);
      setValue(document, place.pair, entry[1]);
      return;
    }
    replace(place, make(document, written));
    return;
  }
  if (isMap(node)) {
    merge(document, node as YAMLMap, written);
    return;
  }
  const fresh = make(document, written);
  replace(place, condition.isNot ? mapOf('not', fresh) : fresh);
}

/** Makes a map say what is written; keys that stay keep their places and remarks. */
export function merge(document: Document, map: YAMLMap, written: Written): void {
  const [only] = map.items;
  const [name] = Object.keys(written);
  if (
    map.items.length === 1 &&
    only !== undefined &&
    Object.keys(written).length === 1 &&
    name !== undefined
  ) {
    // A field that is called otherwise, not another condition.
    if (isScalar(only.key)) {
      only.key.value = name;
    }
    setValue(document, only as Pair, written[name]);
    return;
  }
  map.items = map.items.filter((pair) => String(isScalar(pair.key) ? pair.key.value : pair.key) in written);
  for (const [key, value] of Object.entries(written)) {
    const pair = map.items.find((one) => String(isScalar(one.key) ? one.key.value : one.key) === key);
    if (pair === undefined) {
      map.set(key, inner(document, value));
    } else {
      setValue(document, pair as Pair, value);
    }
  }
}

function setValue(document: Document, pair: Pair, value: unknown): void {
  const before = pair.value as Node | null;
  if (JSON.stringify(before?.toJS(document)) === JSON.stringify(value)) {
    return;
  }
  if (isScalar(before) && (value === null || typeof value !== 'object')) {
    // A text keeps its quotes, but not those of an empty one; a number among quotes would stay a text.
    const wasEmpty = before.value === '';
    before.value = value;
    if (wasEmpty || typeof value !== 'string') {
      delete before.type;
      delete before.source;
    }
    return;
  }
  pair.value = inner(document, value);
}

function inner(document: Document, value: unknown): Node {
  const node = make(document, value);
  if (isMap(node)) {
    node.flow = node.items.every((pair) => isScalar(pair.value) || (isMap(pair.value) && pair.value.flow));
  }
  return node;
}

/** The comparisons of a field as they are written. */
export function writtenTests(tests: readonly Test[]): unknown {
  const [only] = tests;
  if (tests.length === 1 && only !== undefined && (only.word === 'eq' || only.word === 'in')) {
    return only.value;
  }
  return Object.fromEntries(tests.map((one) => [one.word, one.value]));
}

export function writtenTimes(times: Times | undefined): unknown {
  if (times === undefined || (times.atLeast === undefined && times.atMost === undefined)) {
    return undefined;
  }
  const { atLeast, atMost } = times;
  if (atMost === undefined) {
    return atLeast;
  }
  if (atLeast === undefined) {
    return { lte: atMost };
  }
  return atLeast === atMost ? { eq: atLeast } : { gte: atLeast, lte: atMost };
}

/** Changes some of what is asked about a deed; `undefined` takes it away. */
export function changeDeed(
  document: Document,
  deed: Deed,
  patch: { event?: string; times?: Times | undefined; within?: string | undefined },
): void {
  if (patch.event !== undefined) {
    put(document, deed.node, 'did', patch.event);
  }
  if ('times' in patch) {
    put(document, deed.node, 'times', writtenTimes(patch.times));
  }
  if ('within' in patch) {
    put(document, deed.node, 'within', patch.within);
  }
}

/** Sets one key of a map, or takes it away. */
export function put(document: Document, map: YAMLMap, key: string, value: unknown): void {
  if (value === undefined) {
    map.delete(key);
    return;
  }
  const pair = map.items.find((one) => String(isScalar(one.key) ? one.key.value : one.key) === key);
  if (pair === undefined) {
    map.set(key, inner(document, value));
  } else {
    setValue(document, pair as Pair, value);
  }
}
