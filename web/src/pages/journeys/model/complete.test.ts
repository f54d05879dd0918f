import { describe, expect, it } from 'vitest';
import { complete, eventsIn } from './complete';

const NAMES = {
  events: ['Order Completed', 'Replied'],
  templates: ['welcome'],
  segments: ['vip'],
  journeys: ['lessons'],
  lists: ['news'],
};

/** What is offered at the place of the bar. */
function at(text: string): string[] {
  const place = text.indexOf('|');
  return complete(text.replace('|', ''), place, NAMES)?.offers.map((one) => one.label) ?? [];
}

describe('completion', () => {
  it('offers keys of the head, steps after a dash, options beside a step', () => {
    expect(at('id: a\n|')).toContain('trigger');
    expect(at('steps:\n  - |')).toContain('wait_for');
    expect(at('steps:\n  - wait: 3d\n    |')).toEqual(['window', 'id', 'late']);
    expect(at('steps:\n  - id: a\n    send: email\n    te|')).toContain('template');
    expect(at('steps:\n  - branch:\n      - |')).toEqual(['if', 'then', 'else']);
    expect(at('steps:\n  - branch:\n      - if: { a: 1 }\n        then:\n          - s|')).toContain('send');
    expect(at('trigger:\n  |')).toContain('segment_entered');
  });

  it('offers names by the key before them', () => {
    expect(at('exit:\n  - { event: Re|')).toContain('Replied');
    expect(at('steps:\n  - send: email\n    template: |')).toEqual(['welcome']);
    expect(at('trigger: { segment_entered: v|')).toEqual(['vip']);
    expect(at('steps:\n  - enroll: |')).toEqual(['lessons']);
    expect(at('steps:\n  - send: |')).toContain('sms');
    expect(at('goal: { |')).toEqual(['event', 'where', 'within']);
    expect(at('# event: |')).toEqual([]);
  });

  it('learns events from texts', () => {
    expect(eventsIn(['exit:\n  - { event: Tea Drunk, any: true }'])).toContain('Tea Drunk');
  });
});
