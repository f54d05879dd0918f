/**
 * The items of a content list, read from its YAML text and changed on its nodes, so that remarks, order and layout
 * of all else stay.
 */
import { type Document, isMap, isScalar, isSeq, type YAMLMap, YAMLSeq } from 'yaml';

export type Item = {
  at: number;
  id: string;
  /** Fields beside the id, in the order of the text. */
  fields: [string, unknown][];
};

/** Fields that every list may have; others are the list's own. */
export const USUAL = ['title', 'url', 'image', 'text'] as const;

export function readItems(document: Document): Item[] | undefined {
  const { contents } = document;
  if (document.errors.length > 0 || !isMap(contents)) {
    return undefined;
  }
  const list = contents.get('items', true);
  if (list === undefined || (isScalar(list) && list.value === null)) {
    return [];
  }
  if (!isSeq(list) || !list.items.every(isMap)) {
    return undefined;
  }
  return list.items.map((node, at) => {
    const { id: _id, ...fields } = (node as YAMLMap).toJSON() as Record<string, unknown>;
    return { at, id: readId(node as YAMLMap), fields: Object.entries(fields) };
  });
}

/** An id as it is written: `id: 007` is not 7. */
function readId(node: YAMLMap): string {
  const written = node.get('id', true);
  if (!isScalar(written)) {
    return '';
  }
  return typeof written.value === 'string' ? written.value : (written.source ?? String(written.value ?? ''));
}

function listOf(document: Document): YAMLSeq {
  const map = document.contents as YAMLMap;
  const list = map.get('items', true);
  if (isSeq(list)) {
    list.flow = false;
    return list as YAMLSeq;
  }
  const made = new YAMLSeq();
  map.set('items', made);
  return made;
}

export function addItem(document: Document, id: string, fields: [string, unknown][]): void {
  listOf(document).items.push(document.createNode({ id, ...Object.fromEntries(fields) }));
}

export function changeItem(document: Document, at: number, id: string, fields: [string, unknown][]): void {
  const node = listOf(document).items[at];
  if (!isMap(node)) {
    return;
  }
  const wanted = new Map<string, unknown>([['id', id], ...fields]);
  node.items = node.items.filter((pair) =>
    wanted.has(String(isScalar(pair.key) ? pair.key.value : pair.key)),
  );
  for (const [key, value] of wanted) {
    if (key === 'id' && readId(node as YAMLMap) === value) {
      continue;
    }
    const before = node.get(key, true);
    if (isScalar(before) && (value === null || typeof value !== 'object')) {
      before.value = value;
    } else if (JSON.stringify(node.get(key)) !== JSON.stringify(value)) {
      node.set(key, document.createNode(value));
    }
  }
}

export function removeItem(document: Document, at: number): void {
  listOf(document).items.splice(at, 1);
}

export function moveItem(document: Document, from: number, to: number): void {
  const { items } = listOf(document);
  const target = Math.max(0, Math.min(to, items.length - 1));
  const [moved] = items.splice(from, 1);
  if (moved !== undefined) {
    items.splice(target, 0, moved);
  }
}

/** An id that no item has yet, made of a title. */
export function freeId(wanted: string, taken: readonly string[]): string {
  const base = wanted === '' ? 'item' : wanted.slice(0, 56);
  if (!taken.includes(base)) {
    return base;
  }
  let number = 2;
  while (taken.includes(`${base}-${number}`)) {
    number++;
  }
  return `${base}-${number}`;
}

/** As the server reads it: any text without control characters. */
export const ITEM_ID = /^[^\p{Cc}]{1,64}$/u;

export function isAddress(text: string): boolean {
  try {
    return ['http:', 'https:'].includes(new URL(text).protocol);
  } catch {
    return false;
  }
}
