import i18next from 'i18next';
import { describe, expect, it } from 'vitest';
import { speak } from '../../../words';
import { allSteps, readJourney } from '../model/journey';
import { idOf, isId, STARTS, startText } from './starts';

describe('a start', () => {
  it.each(['en', 'ru', 'ja'] as const)('is a journey, whatever its name, in %s', async (language) => {
    await speak(language);
    for (const start of STARTS) {
      for (const name of [
        i18next.t(`journeys:start.${start}.name`),
        '<b>: "#1" {{ x }}',
        '- a: b',
        "it's",
        '12',
      ]) {
        const { journey, problem } = readJourney(startText(start, 'an-id', name, i18next.t));
        expect(problem, `${start} ${name}`).toBeUndefined();
        expect(journey?.name).toBe(name);
        const steps = [...allSteps(journey?.steps ?? [])];
        expect(steps.length).toBeGreaterThan(0);
        expect(steps.filter((step) => step.kind === 'unknown')).toEqual([]);
        const task = steps.find((step) => step.kind === 'task');
        expect(JSON.stringify(task?.value.task ?? { due: '1bd' })).toContain('"due":"1bd"');
      }
    }
    await speak('en');
  });

  it('has an id made of its name', () => {
    expect(idOf('Offer without an answer!')).toBe('offer-without-an-answer');
    expect(idOf('КП без ответа')).toBe('kp-bez-otveta');
    expect(idOf('Été à Paris')).toBe('ete-a-paris');
    expect(idOf('返信のない見積書')).toBe('');
    expect(idOf('Preview')).toBe('preview-1');
    expect(isId('check')).toBe(false);
    expect(idOf('x'.repeat(10_000))).toHaveLength(64);
  });
});
