/** Values by their paths, and what an edit makes of them. */
import { isPlain } from './render';
import type { Edit, Path } from './surgery';

/** What the value is after an edit, without the text. */
export function expected(root: unknown, edit: Edit): unknown {
  const copy = structuredClone(root);
  const holder = { root: copy };
  switch (edit.do) {
    case 'set':
      put(holder, ['root', ...edit.path], structuredClone(edit.value));
      break;
    case 'remove':
      cut(holder, ['root', ...edit.path]);
      break;
    case 'insert':
      listAt(holder, ['root', ...edit.list]).splice(edit.at, 0, structuredClone(edit.value));
      break;
    case 'move': {
      const target = listAt(holder, ['root', ...edit.list]);
      const source = listAt(holder, ['root', ...edit.from.slice(0, -1)]);
      const index = Number(edit.from.at(-1));
      const [moved] = source.splice(index, 1);
      target.splice(target === source && edit.at > index ? edit.at - 1 : edit.at, 0, moved);
      break;
    }
  }
  return holder.root;
}

export type Holder = Record<string | number, unknown>;

/** The map or list that holds the last part of a path; made when it is not there. */
export function holderAt(root: Holder, path: Path): Holder {
  let at: Holder = root;
  for (const [index, part] of path.slice(0, -1).entries()) {
    const next = at[part];
    if (typeof next !== 'object' || next === null) {
      at[part] = typeof path[index + 1] === 'number' ? [] : {};
    }
    at = at[part] as Holder;
  }
  return at;
}

export function put(root: Holder, path: Path, value: unknown): void {
  const last = path.at(-1);
  if (last !== undefined) {
    holderAt(root, path)[last] = value;
  }
}

export function cut(root: Holder, path: Path): void {
  const last = path.at(-1);
  const holder = holderAt(root, path);
  if (Array.isArray(holder)) {
    holder.splice(Number(last), 1);
  } else if (last !== undefined) {
    delete holder[last];
  }
}

export function listAt(root: Holder, path: Path): unknown[] {
  const holder = holderAt(root, path);
  const last = path.at(-1) ?? '';
  const found = holder[last];
  if (Array.isArray(found)) {
    return found;
  }
  const made: unknown[] = [];
  holder[last] = made;
  return made;
}

/** Whether two values are the same, keys in any order. */
export function isSame(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((value, at) => isSame(value, other[at]));
  }
  if (isPlain(one) && isPlain(other)) {
    const keys = Object.keys(one);
    return (
      keys.length === Object.keys(other).length &&
      keys.every((key) => key in other && isSame(one[key], other[key]))
    );
  }
  return Object.is(one, other);
}

export function isSamePath(one: Path, other: Path): boolean {
  return one.length === other.length && one.every((part, at) => part === other[at]);
}

/** Whether a place lies at or below another. */
export function isWithin(path: Path, above: Path): boolean {
  return path.length >= above.length && above.every((part, at) => part === path[at]);
}

export function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, part) => (typeof at === 'object' && at !== null ? (at as Holder)[part] : undefined),
    root,
  );
}
