import { describe, expect, it } from 'vitest';
import {
  addArm,
  canMove,
  copyStep,
  freshStep,
  insertStep,
  moveStep,
  removeStep,
  setAt,
  setOption,
} from './edits';
import { examples } from './examples';
import { allSteps, type Journey, readJourney, type Step } from './journey';
import { applied, type Change } from './surgery';
import { isSame } from './value';

function read(text: string): Journey {
  const { journey, problem } = readJourney(text);
  if (journey === undefined) {
    throw new Error(`line ${problem.line}: ${problem.message}\n${text}`);
  }
  return journey;
}

/** Lines of the old text that an edit touches, from 1, by its splices. */
function touched(text: string, changes: Change[]): number[] {
  const lineOf = (at: number) => text.slice(0, at).split('\n').length;
  return changes.flatMap((change) => [lineOf(change.from), lineOf(change.to)]);
}

const lines = (text: string) => text.split('\n').map((line) => line.trim());

/** Whether all of the one stand in the other, in the same order. */
function isSubsequence(part: string[], whole: string[]): boolean {
  let at = 0;
  for (const line of whole) {
    if (line === part[at]) {
      at += 1;
    }
  }
  return at === part.length;
}

const count = (journey: Journey) => [...allSteps(journey.steps)].length;
const inner = (step: Step) => [...allSteps([step])].length;

describe.each(examples())('$name', ({ text }) => {
  const journey = read(text);
  const steps = [...allSteps(journey.steps)];

  it('is read whole, each step with its key and lines', () => {
    expect(steps.length).toBeGreaterThan(0);
    expect(new Set(steps.map((step) => step.key)).size).toBe(steps.length);
    expect(steps.filter((step) => step.kind === 'unknown')).toEqual([]);
    for (const step of steps) {
      const first = text.split('\n')[step.line - 1] ?? '';
      expect(first).toMatch(/- /);
    }
  });

  it('stays the same when nothing is changed', () => {
    for (const step of steps) {
      for (const [key, value] of Object.entries(step.value)) {
        if (typeof value !== 'object') {
          expect(setOption(text, step, key, value), `${step.key} ${key}`).toEqual([]);
        }
      }
    }
  });

  it('gives a step another name in its own lines, and takes it back to the same text', () => {
    for (const step of steps) {
      const changes = setOption(text, step, 'id', 'a-new-name');
      for (const line of touched(text, changes)) {
        expect(line, step.key).toBeGreaterThanOrEqual(step.line);
        expect(line, step.key).toBeLessThanOrEqual(step.lineEnd);
      }
      const named = applied(text, changes);
      const again = [...allSteps(read(named).steps)].find((one) => one.key === 'a-new-name');
      expect(again?.path, step.key).toEqual(step.path);
      if (!step.named && again !== undefined && step.kind !== 'stop') {
        expect(applied(named, setOption(named, again, 'id', undefined))).toBe(text);
      }
    }
  });

  it('gets a new step anywhere: no other line changes', () => {
    for (const kind of ['send', 'branch', 'stop'] as const) {
      const value = freshStep(kind, { task: 'Call {{ contact.name }}', notify: 'Look' });
      for (const step of steps) {
        for (const after of [0, 1]) {
          const place = { list: step.path.slice(0, -1), at: Number(step.path.at(-1)) + after };
          const more = applied(text, insertStep(text, place, value));
          expect(isSubsequence(lines(text), lines(more)), `${kind} at ${step.key}\n${more}`).toBe(true);
          expect(count(read(more))).toBe(steps.length + 1);
        }
        for (const way of step.ways) {
          const more = applied(text, insertStep(text, { list: way.list, at: 0 }, value));
          expect(isSubsequence(lines(text), lines(more)), `${kind} in ${step.key}.${way.word}\n${more}`).toBe(
            true,
          );
          expect(count(read(more))).toBe(steps.length + 1);
        }
      }
    }
  });

  it('loses a step and nothing else', () => {
    for (const step of steps) {
      const changes = removeStep(text, step);
      const less = applied(text, changes);
      expect(count(read(less)), step.key).toBe(steps.length - inner(step));
      if (!less.includes('[]')) {
        expect(isSubsequence(lines(less), lines(text)), `${step.key}\n${less}`).toBe(true);
      }
    }
  });

  it('has a step moved with its lines: each line is there once, the others in their order', () => {
    for (const step of steps) {
      for (const to of steps) {
        const place = { list: to.path.slice(0, -1), at: Number(to.path.at(-1)) };
        if (!canMove(step, place)) {
          continue;
        }
        const moved = applied(text, moveStep(text, step, place));
        expect(count(read(moved)), `${step.key} to ${to.key}\n${moved}`).toBe(steps.length);
        if (!moved.includes('[]')) {
          expect([...lines(moved)].sort(), `${step.key} to ${to.key}\n${moved}`).toEqual(
            [...lines(text)].sort(),
          );
        }
      }
    }
  });

  it('has a copy of a step behind it', () => {
    for (const step of steps) {
      const more = applied(text, copyStep(text, step));
      expect(count(read(more)), more).toBe(steps.length + inner(step));
      expect(isSubsequence(lines(text), lines(more)), more).toBe(true);
    }
  });

  it('takes every part of the head', () => {
    for (const [key, value] of [
      ['name', 'Another name: "quoted", #1'],
      ['holdout', '25%'],
      ['goal', { event: 'Order Completed', where: { total: { gte: 10 } }, within: '14d' }],
      ['exit', [{ event: 'Replied' }, { event: 'Order Completed', any: true }]],
      ['reentry', { after: '30d' }],
      ['priority', 5],
      ['trigger', { event: 'Signed Up', where: { plan: ['a, b', 'c'] } }],
    ] as const) {
      const changes = setAt(text, [key], value);
      const after = applied(text, changes);
      expect(isSame(read(after).value, { ...journey.value, [key]: value }), after).toBe(true);
      expect(count(read(after))).toBe(steps.length);
      const stays = (line: string) => line.startsWith('#') || /^- (id|send|wait|task)/.test(line);
      expect(lines(after).filter(stays)).toEqual(lines(text).filter(stays));
    }
  });
});

describe('an edit', () => {
  const text = `# a comment above
format: journey/1
id: one
name: One   # a name
trigger: { event: Signed Up }
steps:
  # the first
  - wait: 1d   # a day
    window: { hours: 09:00-18:00 }

  # the second
  - send: email
    template: "hello"  # in quotes
  - branch:
      - if: { contact.plan: pro }
        then:
          - stop
      - else:
`;
  const at = (key: string) => {
    const step = [...allSteps(read(text).steps)].find((one) => one.key === key);
    if (step === undefined) {
      throw new Error(key);
    }
    return step;
  };

  it('of one option leaves the comment beside it', () => {
    expect(applied(text, setOption(text, at('1'), 'wait', '3bd'))).toBe(
      text.replace('wait: 1d   # a day', 'wait: 3bd   # a day'),
    );
    expect(applied(text, setOption(text, at('2'), 'template', 'bye'))).toBe(
      text.replace('"hello"  # in quotes', '"bye"  # in quotes'),
    );
    expect(applied(text, setAt(text, ['name'], 'Two'))).toBe(
      text.replace('One   # a name', 'Two   # a name'),
    );
  });

  it('carries the comment of a step along', () => {
    const moved = applied(text, moveStep(text, at('2'), { list: ['steps'], at: 0 }));
    expect(moved).toBe(`# a comment above
format: journey/1
id: one
name: One   # a name
trigger: { event: Signed Up }
steps:
  # the second
  - send: email
    template: "hello"  # in quotes
  # the first
  - wait: 1d   # a day
    window: { hours: 09:00-18:00 }

  - branch:
      - if: { contact.plan: pro }
        then:
          - stop
      - else:
`);
  });

  it('moves a step into an empty way, as far in as that is', () => {
    const moved = applied(text, moveStep(text, at('2'), { list: ['steps', 2, 'branch', 1, 'else'], at: 0 }));
    expect(moved).toContain(`      - else:
          # the second
          - send: email
            template: "hello"  # in quotes
`);
  });

  it('makes the way that a branch has not written', () => {
    const without = text.replace('      - else:\n', '');
    const step = [...allSteps(read(without).steps)].find((one) => one.kind === 'branch');
    const way = step?.ways.find((one) => one.word === 'else');
    const more = applied(without, insertStep(without, { list: way?.list ?? [], at: 0 }, { wait: '2d' }));
    expect(more).toBe(`${without}      - else:
          - wait: 2d
`);
  });

  it('adds an arm before the else of a branch', () => {
    const more = applied(text, addArm(text, at('3'), { if: { 'contact.plan': 'free' } }));
    expect(more).toContain(`          - stop
      - if: { contact.plan: free }
      - else:
`);
  });

  it('gives the short form of a step its options', () => {
    const named = applied(text, setOption(text, at('3.if1.1'), 'id', 'end-here'));
    expect(named).toContain('          - id: end-here\n            stop: true\n');
  });

  it('takes the last step of a way together with the way', () => {
    expect(applied(text, removeStep(text, at('3.if1.1')))).toBe(
      text.replace('        then:\n          - stop\n', ''),
    );
  });

  it('keeps texts of several lines', () => {
    const note = 'First line\nsecond: {{ contact.name }}\n\nlast\n';
    const more = applied(text, insertStep(text, { list: ['steps'], at: 3 }, { notify: 'owner', text: note }));
    expect(
      more.endsWith(`  - notify: owner
    text: |
      First line
      second: {{ contact.name }}

      last
`),
    ).toBe(true);
    expect(read(more).value.steps).toContainEqual({ notify: 'owner', text: note });
  });

  it.each([
    'steps: [{ wait: 1d }, stop]\n',
    'steps:\n- wait: 1d\n- stop\n',
    '{ "steps": [ { "wait": "1d" }, "stop" ] }',
    'steps:\n  -\n    wait: 1d\n  - stop # the end',
    'steps:\n  - wait:\n      1d\n  - stop\n# done',
    'steps:\r\n  - wait: 1d\r\n  - stop\r\n',
    'steps:\n    - {wait: 1d}\n    - "stop"\n',
    'steps:\n  - ? wait\n    : 1d\n  - stop\n',
  ])('does what it says however the text is written: %j', (odd) => {
    const steps = read(odd).steps;
    expect(steps.map((one) => one.kind)).toEqual(['wait', 'stop']);
    const [first, second] = steps;
    if (first === undefined || second === undefined) {
      throw new Error('two steps');
    }
    const kinds = (changes: Change[]) => read(applied(odd, changes)).steps.map((one) => one.kind);
    expect(kinds(insertStep(odd, { list: ['steps'], at: 0 }, { move: 'x' }))).toEqual([
      'move',
      'wait',
      'stop',
    ]);
    expect(kinds(insertStep(odd, { list: ['steps'], at: 1 }, { move: 'x' }))).toEqual([
      'wait',
      'move',
      'stop',
    ]);
    expect(kinds(insertStep(odd, { list: ['steps'], at: 2 }, { move: 'x' }))).toEqual([
      'wait',
      'stop',
      'move',
    ]);
    expect(kinds(removeStep(odd, first))).toEqual(['stop']);
    expect(kinds(removeStep(odd, second))).toEqual(['wait']);
    expect(kinds(moveStep(odd, first, { list: ['steps'], at: 2 }))).toEqual(['stop', 'wait']);
    const waits = applied(odd, setOption(odd, first, 'wait', '2d'));
    expect(read(waits).steps[0]?.value).toEqual({ wait: '2d' });
    const late = applied(odd, setOption(odd, first, 'late', '4h'));
    expect(read(late).steps[0]?.value).toEqual({ wait: '1d', late: '4h' });
  });
});
