import { describe, expect, it } from 'vitest';
import { spanOf } from './spans';

describe('a time that is reported of', () => {
  it('begins and ends with whole months, over the turn of a year too', () => {
    const january = new Date('2027-01-15T00:00:00Z');
    expect(spanOf('month', january)).toEqual({ from: '2027-01-01' });
    expect(spanOf('lastMonth', january)).toEqual({ from: '2026-12-01', to: '2026-12-31' });
    expect(spanOf('quarter', new Date('2026-11-22T00:00:00Z'))).toEqual({ from: '2026-10-01' });
    expect(spanOf('lastYear', january)).toEqual({ from: '2026-01-01', to: '2026-12-31' });
  });
});
