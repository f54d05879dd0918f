/**
 * A journey's text as something to draw and to edit: its head, its steps with their keys, ways and lines.
 *
 * Forgiving: what the server would refuse is read as far as it goes, so that the canvas shows work in progress. Only a
 * text that is no YAML, or no map, is no journey. **Absent:** rules of the language; the server's check has them.
 */
import { isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { isPlain, type Plain } from './render';
import type { Path } from './surgery';
import { isWithin } from './value';

/** Nesting beyond it is not drawn; the language allows 16. */
const DEPTH_MAX = 20;

export const KINDS = [
  'send',
  'wait',
  'wait_for',
  'branch',
  'split',
  'task',
  'notify',
  'set',
  'move',
  'promo',
  'enroll',
  'stop',
] as const;
export type Kind = (typeof KINDS)[number];

/** What leads into a way. */
export type WayLabel =
  | { by: 'then' | 'else' | 'otherwise' }
  /** A condition, as it is written. */
  | { by: 'if'; condition: unknown }
  /** Something awaited. */
  | { by: 'on'; awaited: Plain }
  | { by: 'variant'; name: string; weight: number; share: number };

export type Way = {
  /** Its part of the keys of the steps inside. */
  word: string;
  label: WayLabel;
  /** The list of its steps; it need not be there yet. */
  list: Path;
  /** The arm that it belongs to, where the step has a list of them. */
  arm: Path | undefined;
  steps: Step[];
};

export type Step = {
  /** Runs stand at it, and numbers are told by it. */
  key: string;
  named: boolean;
  path: Path;
  kind: Kind | 'unknown';
  /** Verb and options, as they are written. */
  value: Plain;
  ways: Way[];
  /** Lines of the text, from 1. */
  line: number;
  lineEnd: number;
};

export type Journey = {
  id: string | undefined;
  name: string | undefined;
  /** The whole text as a value. */
  value: Plain;
  steps: Step[];
  /** The line of each key of the head. */
  headLines: Record<string, number>;
};

export type SyntaxProblem = { line: number; message: string };
export type Read =
  | { journey: Journey; problem?: undefined }
  | { journey?: undefined; problem: SyntaxProblem };

export function readJourney(text: string): Read {
  const counter = new LineCounter();
  const doc = parseDocument(text, { lineCounter: counter });
  const [error] = doc.errors;
  if (error !== undefined) {
    const line = counter.linePos(error.pos[0]).line;
    return { problem: { line, message: error.message } };
  }
  let value: unknown;
  try {
    value = doc.toJS({ maxAliasCount: 0 });
  } catch (problem) {
    return { problem: { line: 1, message: String(problem) } };
  }
  if (!isPlain(value) || !isMap(doc.contents)) {
    return { problem: { line: 1, message: '' } };
  }
  const lineAt = (path: Path): [number, number] => {
    const node = path.length === 0 ? doc.contents : doc.getIn(path, true);
    const range = isMap(node) || isSeq(node) || isScalar(node) ? node.range : undefined;
    if (!range) {
      return [1, 1];
    }
    const end = text.slice(range[0], range[1]).trimEnd().length;
    return [counter.linePos(range[0]).line, counter.linePos(range[0] + end).line];
  };
  const headLines: Record<string, number> = {};
  for (const pair of doc.contents.items) {
    if (isScalar(pair.key) && pair.key.range) {
      headLines[String(pair.key.value)] = counter.linePos(pair.key.range[0]).line;
    }
  }
  return {
    journey: {
      id: textOf(value.id),
      name: textOf(value.name),
      value,
      steps: stepsOf(value.steps, ['steps'], '', lineAt, 0),
      headLines,
    },
  };
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

type LineAt = (path: Path) => [number, number];

function stepsOf(list: unknown, path: Path, prefix: string, lineAt: LineAt, depth: number): Step[] {
  if (!Array.isArray(list) || depth > DEPTH_MAX) {
    return [];
  }
  return list.map((one: unknown, at) => {
    const own = [...path, at];
    const value: Plain = isPlain(one) ? one : one === 'stop' ? { stop: true } : {};
    const kind = KINDS.find((kind) => kind in value) ?? 'unknown';
    const named = textOf(value.id);
    const key = named ?? `${prefix}${at + 1}`;
    const [line, lineEnd] = lineAt(own);
    const inner = (way: Omit<Way, 'steps'>, steps: unknown): Way => ({
      ...way,
      steps: stepsOf(steps, way.list, `${key}.${way.word}.`, lineAt, depth + 1),
    });
    return {
      key,
      named: named !== undefined,
      path: own,
      kind,
      value,
      ways: waysOf(kind, value, own, inner),
      line,
      lineEnd,
    };
  });
}

type Inner = (way: Omit<Way, 'steps'>, steps: unknown) => Way;

function waysOf(kind: Kind | 'unknown', value: Plain, path: Path, inner: Inner): Way[] {
  switch (kind) {
    case 'send':
      return value.otherwise === undefined ? [] : [simple('otherwise', value, path, inner)];
    case 'wait_for':
      return waysOfWait(value, path, inner);
    case 'branch':
      return waysOfBranch(value, path, inner);
    case 'split':
      return waysOfSplit(value, path, inner);
    case 'wait':
    case 'task':
    case 'notify':
    case 'set':
    case 'move':
    case 'promo':
    case 'enroll':
    case 'stop':
    case 'unknown':
      return [];
  }
}

function simple(by: 'then' | 'else' | 'otherwise', value: Plain, path: Path, inner: Inner): Way {
  return inner({ word: by, label: { by }, list: [...path, by], arm: undefined }, value[by]);
}

function waysOfWait(value: Plain, path: Path, inner: Inner): Way[] {
  const awaited = value.wait_for;
  const ways: Way[] = [];
  if (Array.isArray(awaited)) {
    for (const [at, one] of awaited.entries()) {
      const arm = [...path, 'wait_for', at];
      const thing: Plain = isPlain(one) ? one : {};
      const word = awaited.length === 1 ? 'then' : `on${at + 1}`;
      ways.push(
        inner({ word, label: { by: 'on', awaited: thing }, list: [...arm, 'then'], arm }, thing.then),
      );
    }
  } else {
    ways.push(simple('then', value, path, inner));
  }
  if (value.timeout !== undefined || value.else !== undefined) {
    ways.push(simple('else', value, path, inner));
  }
  return ways;
}

function waysOfBranch(value: Plain, path: Path, inner: Inner): Way[] {
  const arms: unknown[] = Array.isArray(value.branch) ? value.branch : [];
  const ways: Way[] = [];
  let conditions = 0;
  let isElse = false;
  for (const [at, one] of arms.entries()) {
    const arm = [...path, 'branch', at];
    if (isPlain(one) && 'else' in one) {
      isElse = true;
      ways.push(inner({ word: 'else', label: { by: 'else' }, list: [...arm, 'else'], arm }, one.else));
    } else if (isPlain(one)) {
      conditions += 1;
      const label: WayLabel = { by: 'if', condition: one.if };
      ways.push(inner({ word: `if${conditions}`, label, list: [...arm, 'then'], arm }, one.then));
    }
  }
  if (!isElse) {
    const list = [...path, 'branch', arms.length, 'else'];
    ways.push({ word: 'else', label: { by: 'else' }, list, arm: undefined, steps: [] });
  }
  return ways;
}

function waysOfSplit(value: Plain, path: Path, inner: Inner): Way[] {
  const arms: unknown[] = Array.isArray(value.split) ? value.split : [];
  const weights = arms.map((one) => weightOf(isPlain(one) ? one.weight : undefined));
  const all = weights.reduce((sum, one) => sum + one, 0);
  return arms.map((one, at) => {
    const own: Plain = isPlain(one) ? one : {};
    const arm = [...path, 'split', at];
    const name = textOf(own.variant) ?? String.fromCharCode(65 + Math.min(at, 25));
    const weight = weights[at] ?? 1;
    const label: WayLabel = { by: 'variant', name, weight, share: all > 0 ? weight / all : 0 };
    return inner({ word: name, label, list: [...arm, 'then'], arm }, own.then);
  });
}

export function weightOf(value: unknown): number {
  const number = typeof value === 'number' ? value : Number.parseFloat(textOf(value) ?? '1');
  return Number.isFinite(number) && number >= 0 ? number : 1;
}

/** Every step, outer ones before those inside. */
export function* allSteps(steps: readonly Step[]): Generator<Step> {
  for (const step of steps) {
    yield step;
    for (const way of step.ways) {
      yield* allSteps(way.steps);
    }
  }
}

export function findStep(journey: Journey, key: string | undefined): Step | undefined {
  for (const step of allSteps(journey.steps)) {
    if (step.key === key) {
      return step;
    }
  }
  return undefined;
}

/** A place as the server writes it: `steps[2].then[0].wait`. */
export function readPath(text: string): Path {
  const parts: (string | number)[] = [];
  for (const [, index, name] of text.matchAll(/\[(\d+)\]|([^.[\]]+)/g)) {
    parts.push(index === undefined ? (name ?? '') : Number(index));
  }
  return parts;
}

/** Names of the canvas's nodes that are no steps. */
export const TRIGGER = ':trigger';
export const EXITS = ':exits';

/** The node that a place of the text belongs to: a step, the trigger, the exits; `undefined`: the head. */
export function nodeOfPath(journey: Journey, path: Path): string | undefined {
  let found: Step | undefined;
  for (const step of allSteps(journey.steps)) {
    // Steps inside come later, so the deepest wins.
    if (isWithin(path, step.path)) {
      found = step;
    }
  }
  if (found !== undefined) {
    return found.key;
  }
  if (path[0] === 'trigger') {
    return TRIGGER;
  }
  return path[0] === 'exit' || path[0] === 'goal' ? EXITS : undefined;
}

/** The deepest step whose lines hold a line. */
export function stepAtLine(journey: Journey, line: number): Step | undefined {
  let found: Step | undefined;
  for (const step of allSteps(journey.steps)) {
    if (line >= step.line && line <= step.lineEnd) {
      found = step;
    }
  }
  return found;
}
