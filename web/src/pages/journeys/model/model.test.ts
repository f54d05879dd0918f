import i18next from 'i18next';
import { describe, expect, it } from 'vitest';
import { speak } from '../../../words';
import { readOperand, readRows, writeRows } from './condition';
import { hunks, likely, merged, rows } from './diff';
import { examples } from './examples';
import { allSteps, nodeOfPath, readJourney, readPath } from './journey';
import { neighbour, picture } from './layout';
import { isPlain } from './render';
import { Speaker } from './say';
import { isSame } from './value';

function read(text: string) {
  const { journey } = readJourney(text);
  if (journey === undefined) {
    throw new Error('no journey');
  }
  return journey;
}

const offer = () => read(examples().find((one) => one.name === 'offer-by-amount.yaml')?.text ?? '');

describe('a journey as read', () => {
  it('has the keys by which the server counts', () => {
    const text = examples().find((one) => one.name === 'lead-qualification.yaml')?.text ?? '';
    expect([...allSteps(read(text).steps)].map((step) => step.key)).toEqual([
      'welcome',
      'code',
      'first-call',
      'first-call.otherwise.1',
      'first-call.otherwise.1.otherwise.1',
      'answer',
      'answer.on1.1',
      'answer.on2.1',
      'answer.on3.1',
      'answer.else.1',
      '5',
      '5.if1.1',
      '5.if1.2',
      '5.else.1',
    ]);
  });

  it('knows to which node a problem belongs', () => {
    const journey = offer();
    expect(nodeOfPath(journey, readPath('steps[3].branch[0].then[0].task.due'))).toBe('4.if1.1');
    expect(nodeOfPath(journey, readPath('steps[1].template'))).toBe('2');
    expect(nodeOfPath(journey, readPath('trigger.where'))).toBe(':trigger');
    expect(nodeOfPath(journey, readPath('holdout'))).toBeUndefined();
  });

  it('tells the line at which a text is no YAML', () => {
    expect(readJourney('id: a\nsteps:\n  - wait: 1d\n  send: email\n').problem?.line).toBeGreaterThanOrEqual(
      3,
    );
    expect(readJourney('').problem).toBeDefined();
    expect(readJourney('a: &x [1]\nb: *x\n').problem).toBeDefined();
  });
});

describe('the picture', () => {
  it.each(examples())('of $name has no node over another, and no edge from nowhere', ({ text }) => {
    const shown = picture(read(text));
    for (const one of shown.nodes) {
      for (const other of shown.nodes) {
        const apart =
          one === other ||
          one.x + one.w <= other.x ||
          other.x + other.w <= one.x ||
          one.y + one.h <= other.y ||
          other.y + other.h <= one.y;
        expect(apart, `${one.id} over ${other.id}`).toBe(true);
      }
    }
    const ids = new Set(shown.nodes.map((node) => node.id));
    for (const edge of shown.edges) {
      expect(ids.has(edge.source) && ids.has(edge.target), edge.id).toBe(true);
      expect(edge.to.y).toBeGreaterThan(edge.from.y);
    }
    expect(new Set(shown.edges.map((edge) => edge.id)).size).toBe(shown.edges.length);
  });

  it('is gone through by arrows', () => {
    const shown = picture(offer());
    expect(neighbour(shown, ':trigger', 'down')).toBe('1');
    expect(neighbour(shown, '4', 'down')).toBe('4.if1.1');
    expect(neighbour(shown, '4.if1.1', 'right')).toBe('4.else.1');
    expect(neighbour(shown, '4.else.1', 'up')).toBe('4');
    expect(neighbour(shown, '4.else.1', 'down')).toBe(':end');
    expect(neighbour(shown, ':trigger', 'right')).toBe(':exits');
  });
});

describe('conditions as rows', () => {
  it('say the same when they are written again', () => {
    let fits = 0;
    const look = (value: unknown): void => {
      if (Array.isArray(value)) {
        value.forEach(look);
        return;
      }
      if (!isPlain(value)) {
        return;
      }
      for (const [key, one] of Object.entries(value)) {
        if (key === 'where' || (key === 'if' && one !== undefined)) {
          const found = readRows(one);
          if (found !== undefined) {
            fits += 1;
            expect(isSame(readRows(writeRows(found)), found), JSON.stringify(one)).toBe(true);
          }
        }
        look(one);
      }
    };
    for (const { text } of examples()) {
      look(read(text).value);
    }
    expect(fits).toBeGreaterThan(25);
  });

  it('are what a person would write', () => {
    expect(writeRows({ join: 'all', rows: [] })).toEqual({});
    const again = { 'subject.amount': { gte: 5, lt: 9 }, not: { in_segment: 'vip' } };
    const found = readRows(again);
    expect(found?.rows).toHaveLength(3);
    expect(found && writeRows(found)).toEqual(again);
    expect(readRows({ has: 'deal' })).toBeUndefined();
    expect(readRows({ not: { a: 1, b: 2 } })).toBeUndefined();
  });

  it('take what was typed for what is meant', () => {
    expect(readOperand('500000', 'gte')).toBe(500_000);
    expect(readOperand('ago 90d', 'before')).toEqual({ ago: '90d' });
    expect(readOperand('A, B', 'in')).toEqual(['A', 'B']);
    expect(readOperand('007', 'eq')).toBe('007');
    expect(readOperand('true', 'eq')).toBe(true);
  });
});

describe('differences', () => {
  it('put what was changed beside what it became', () => {
    expect(rows('a\nb\nc\n', 'a\nB\nc\nd\n')).toEqual([
      { what: 'same', left: 1, right: 1, text: 'a' },
      { what: 'changed', left: 2, right: 2, before: 'b', after: 'B' },
      { what: 'same', left: 3, right: 3, text: 'c' },
      { what: 'changed', right: 4, after: 'd' },
    ]);
  });

  it('are brought together by choice, nothing lost', () => {
    const all = hunks('a\nx\nb\n', 'a\ny\nb\nc\n');
    expect(merged(all, ['theirs', 'theirs'])).toBe('a\nx\nb\n');
    expect(merged(all, ['mine', 'mine'])).toBe('a\ny\nb\nc\n');
    expect(merged(all, ['both', 'mine'])).toBe('a\nx\ny\nb\nc\n');
  });
});

describe('two changed texts', () => {
  it('keep the change of each where the other left the text alone', () => {
    const base = 'a\nb\nc\nd\ne\n';
    const all = hunks('a\nB theirs\nc\nd\ne\n', 'a\nb\nc\nd mine\ne\nf\n');
    const choices = likely(all, base);
    expect(choices).toEqual(['theirs', 'mine', 'mine']);
    expect(merged(all, choices)).toBe('a\nB theirs\nc\nd mine\ne\nf\n');
    expect(likely(hunks('x\n', 'y\n'), 'z\n')).toEqual(['mine']);
  });
});

describe.each(['en', 'ru', 'ja'] as const)('sentences in %s', (language) => {
  it('say every step of every journey, in words that exist', async () => {
    await speak(language);
    const speaker = new Speaker(i18next.t, language);
    const said: string[] = [];
    for (const { name, text } of examples()) {
      const journey = read(text);
      said.push(
        `${name}: ${speaker.sentence(speaker.trigger(journey))}. ${speaker.sentence(speaker.exits(journey))}`,
      );
      for (const step of allSteps(journey.steps)) {
        said.push(`  ${step.key}: ${speaker.sentence(speaker.step(step))}`);
        for (const way of step.ways) {
          said.push(`    ${way.word}: ${speaker.wayOf(step, way.label)}`);
        }
      }
    }
    const all = said.join('\n');
    expect(all).not.toMatch(/\b(say|time)\.[a-z]|journeys:|undefined|\{\{count|\[object/);
    await expect(all).toMatchFileSnapshot(`__snapshots__/sentences.${language}.txt`);
    await speak('en');
  });
});
