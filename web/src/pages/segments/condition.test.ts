import { describe, expect, it } from 'vitest';
import { type Document, parseDocument } from 'yaml';
import { add, changeDeed, removePart, rewrite, setMode, setNot } from './change';
import { type Condition, readDefinition } from './condition';

const HEAD = 'format: segment/1\nid: one\n';

function opened(when: string): { document: Document; root: Condition } {
  const document = parseDocument(HEAD + when);
  const definition = readDefinition(document);
  if (definition.sort !== 'condition') {
    throw new Error(definition.sort);
  }
  return { document, root: definition.root };
}

const parts = (group: Condition) => (group.what.kind === 'group' ? group.what.parts : []);
function part(group: Condition, at = 0): Condition {
  const found = parts(group)[at];
  if (found === undefined) {
    throw new Error(`no part ${at}`);
  }
  return found;
}
const written = (document: Document) => document.toString({ lineWidth: 0 }).slice(HEAD.length);

describe('a condition', () => {
  it('is read in every way that people write it', () => {
    const { root } = opened(
      'when:\n  - did: Order Completed\n    times: { gte: 2, lte: 5 }\n    within: 90d\n  - plan: [pro, team]\n' +
        '  - amount: { gte: 1, lt: 9 }\n    in_segment: vip\n  - not: { did: Replied }\n  - engaged: 30d\n' +
        '  - { has: deal, where: { stage: won } }\n  - rfm: { group: champions }\n',
    );
    expect(parts(root).map((one) => one.what.kind)).toEqual([
      'did',
      'field',
      'group',
      'did',
      'engaged',
      'has',
      'rfm',
    ]);
    const [deed, , both, not] = parts(root);
    expect(deed?.what).toMatchObject({ deed: { times: { atLeast: 2, atMost: 5 }, within: '90d' } });
    expect(both && parts(both).map((one) => one.what.kind)).toEqual(['field', 'in_segment']);
    expect(not?.isNot).toBe(true);
  });

  it('that is alone is a group of one, and grows into a list', () => {
    const { document, root } = opened('# who they are\nwhen: { plan: pro }\n');
    add(document, root, { in_segment: 'vip' });
    expect(written(document)).toBe('# who they are\nwhen:\n  - { plan: pro }\n  - in_segment: vip\n');
  });

  it('changes in its own place, and remarks stay', () => {
    const { document, root } = opened(
      'when:\n  # they buy\n  - did: Order Completed # often\n    within: 90d\n  - plan: "pro"\n',
    );
    const first = part(root);
    if (first.what.kind !== 'did') {
      throw new Error(first.what.kind);
    }
    changeDeed(document, first.what.deed, { times: { atLeast: 3 }, within: '30d' });
    rewrite(document, part(root, 1), { tariff: 'team' });
    expect(written(document)).toBe(
      'when:\n  # they buy\n  - did: Order Completed # often\n    within: 30d\n    times: 3\n  - tariff: "team"\n',
    );
  });

  it('among several keys of one map is told apart from them when it says the opposite', () => {
    const { document, root } = opened('when:\n  plan: pro\n  city: Tula\n');
    setNot(part(root, 1), true);
    expect(written(document)).toBe('when:\n  - plan: pro\n  - not:\n      city: Tula\n');
  });

  it('comes and goes with its group', () => {
    const { document, root } = opened('when:\n  - plan: pro\n  - any:\n      - city: Tula\n');
    const group = part(root, 1);
    removePart(group, part(group));
    expect(written(document)).toBe('when:\n  - plan: pro\n');
  });

  it('counts with the others as it is asked to', () => {
    const { document, root } = opened('when:\n  - plan: pro\n  - city: Tula\n');
    setMode(root, 'any', false);
    expect(written(document)).toBe('when:\n  any:\n    - plan: pro\n    - city: Tula\n');
    const again = readDefinition(parseDocument(HEAD + written(document)));
    if (again.sort !== 'condition') {
      throw new Error(again.sort);
    }
    expect(again.root.what).toMatchObject({ kind: 'group', mode: 'any' });
  });

  it('that has no words here is left as it is', () => {
    const { root } = opened('when:\n  - score: { near: 3 }\n  - plan: pro\n');
    expect(part(root).what.kind).toBe('other');
  });
});
