/** What can be done to steps on the canvas, as edits of the text. Pure: text in, splices out. */
import { type Journey, type Kind, readJourney, type Step } from './journey';
import { isPlain, type Plain } from './render';
import { type Change, changesOf, type Path } from './surgery';
import { isSamePath, isWithin } from './value';

/** In which order the keys of a step, an arm or the head are written. */
export const STEP_ORDER = [
  'id',
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
  'template',
  'text',
  'content',
  'from',
  'approval',
  'if',
  'digest',
  'opened_within',
  'window',
  'by',
  'experiment',
  'late',
  'timeout',
  'otherwise',
  'then',
  'else',
] as const;
export const ARM_ORDER = ['variant', 'weight', 'event', 'if', 'where', 'since', 'then', 'else'] as const;
export const HEAD_ORDER = [
  'format',
  'id',
  'name',
  'subject',
  'trigger',
  'reentry',
  'goal',
  'exit',
  'holdout',
  'approval',
  'topic',
  'priority',
  'away',
  'steps',
] as const;

/** Where a step may be put. */
export type Place = { list: Path; at: number };

export function insertStep(text: string, place: Place, value: Plain): Change[] {
  return changesOf(text, { do: 'insert', list: place.list, at: place.at, value: shorthand(value) });
}

/** `stop` alone is written without braces. */
function shorthand(value: Plain): unknown {
  return value.stop === true && Object.keys(value).length === 1 ? 'stop' : value;
}

/** Takes a step away; a way that becomes empty goes with its last step. */
export function removeStep(text: string, step: Step): Change[] {
  return changesOf(text, { do: 'remove', path: emptied(text, step.path) ?? step.path });
}

/** The key of a way whose only step goes, where the key can go as well. */
function emptied(text: string, path: Path): Path | undefined {
  const list = path.slice(0, -1);
  const key = list.at(-1);
  const { journey } = readJourney(text);
  const above = journey === undefined ? undefined : written(journey.value, list.slice(0, -1));
  const steps = journey === undefined ? undefined : written(journey.value, list);
  const isLast = Array.isArray(steps) && steps.length === 1;
  const isWay = key === 'then' || key === 'else' || key === 'otherwise';
  return isLast && isWay && isPlain(above) && Object.keys(above).length > 1 ? list : undefined;
}

function written(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, part) =>
      typeof at === 'object' && at !== null ? (at as Record<string | number, unknown>)[part] : undefined,
    root,
  );
}

export function canMove(step: Step, place: Place): boolean {
  if (isWithin(place.list, step.path)) {
    return false;
  }
  const index = Number(step.path.at(-1));
  return !(isSamePath(step.path.slice(0, -1), place.list) && (place.at === index || place.at === index + 1));
}

export function moveStep(text: string, step: Step, place: Place): Change[] {
  return canMove(step, place)
    ? changesOf(text, { do: 'move', from: step.path, list: place.list, at: place.at })
    : [];
}

/** Puts a copy right behind the step, without its id: ids are there once. */
export function copyStep(text: string, step: Step): Change[] {
  const { id: _id, ...value } = step.value;
  const at = Number(step.path.at(-1)) + 1;
  return insertStep(text, { list: step.path.slice(0, -1), at }, withoutIds(value) as Plain);
}

function withoutIds(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(withoutIds);
  }
  if (!isPlain(value)) {
    return value;
  }
  const isStep = STEP_ORDER.some((key) => key !== 'id' && key in value);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !(isStep && key === 'id'))
      .map(([key, one]) => [key, key === 'set' ? one : withoutIds(one)]),
  );
}

/** Sets or, by `undefined`, takes away one option of a step. */
export function setOption(text: string, step: Step, key: string, value: unknown): Change[] {
  const { journey } = readJourney(text);
  const own = journey === undefined ? undefined : written(journey.value, step.path);
  if (!isPlain(own)) {
    // `- stop` and the like: the short form has no place for options.
    if (value === step.value[key]) {
      return [];
    }
    const whole = { ...step.value, ...(value === undefined ? {} : { [key]: value }) };
    return value === undefined ? [] : changesOf(text, { do: 'set', path: step.path, value: ordered(whole) });
  }
  const path = [...step.path, key];
  return value === undefined
    ? changesOf(text, { do: 'remove', path })
    : changesOf(text, { do: 'set', path, value, order: STEP_ORDER });
}

function ordered(value: Plain): Plain {
  const rank = (key: string) => (STEP_ORDER as readonly string[]).indexOf(key);
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => rank(a) - rank(b)));
}

/** The same for any place: an arm's condition, a part of the head. */
export function setAt(text: string, path: Path, value: unknown): Change[] {
  const order = path.length === 1 ? HEAD_ORDER : ARM_ORDER;
  return value === undefined
    ? changesOf(text, { do: 'remove', path })
    : changesOf(text, { do: 'set', path, value, order });
}

/** Where a new arm of a step comes: before the `else` of a branch. */
export function addArm(text: string, step: Step, value: Plain): Change[] {
  const arms = step.value[step.kind];
  if (!Array.isArray(arms)) {
    return [];
  }
  const last: unknown = arms.at(-1);
  const at = step.kind === 'branch' && isPlain(last) && 'else' in last ? arms.length - 1 : arms.length;
  return changesOf(text, { do: 'insert', list: [...step.path, step.kind], at, value });
}

export function removeAt(text: string, path: Path): Change[] {
  return changesOf(text, { do: 'remove', path });
}

export function moveArm(text: string, arm: Path, by: -1 | 1): Change[] {
  const index = Number(arm.at(-1));
  const at = by < 0 ? index - 1 : index + 2;
  return at < 0 ? [] : changesOf(text, { do: 'move', from: arm, list: arm.slice(0, -1), at });
}

/** What a new step of a kind says before anybody has filled it in. */
export function freshStep(kind: Kind, words: { task: string; notify: string }): Plain {
  switch (kind) {
    case 'send':
      return { send: 'email', template: 'new-message' };
    case 'wait':
      return { wait: '1d' };
    case 'wait_for':
      return { wait_for: { event: 'Replied' }, timeout: '3d' };
    case 'branch':
      return { branch: [{ if: { 'contact.email': { exists: true } } }] };
    case 'split':
      return {
        split: [
          { variant: 'A', weight: 50 },
          { variant: 'B', weight: 50 },
        ],
      };
    case 'task':
      return { task: { title: words.task, due: '1bd' } };
    case 'notify':
      return { notify: 'owner', text: words.notify };
    case 'set':
      return { set: { 'contact.grade': 'A' } };
    case 'move':
      return { move: 'in_work' };
    case 'promo':
      return { promo: { prefix: 'PROMO', valid: '7d' } };
    case 'enroll':
      return { enroll: 'journey' };
    case 'stop':
      return { stop: true };
  }
}

/** The step that an edit left at a place, to be selected after it. */
export function keyAt(text: string, path: Path): string | undefined {
  const { journey } = readJourney(text);
  if (journey === undefined) {
    return undefined;
  }
  return keyOfPath(journey, path);
}

export function keyOfPath(journey: Journey, path: Path): string | undefined {
  const search = (steps: readonly Step[]): string | undefined => {
    for (const step of steps) {
      if (isSamePath(step.path, path)) {
        return step.key;
      }
      for (const way of step.ways) {
        const inner = search(way.steps);
        if (inner !== undefined) {
          return inner;
        }
      }
    }
    return undefined;
  };
  return search(journey.steps);
}
