import { describe, expect, it } from 'vitest';
import { makeFormat } from './format';

/** Intl writes spaces that do not break. */
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');

describe('formats', () => {
  it('tell moments in the zone of the workspace', () => {
    const format = makeFormat('en', 'Asia/Tokyo');
    expect(plain(format.moment('2026-11-22T16:30:00Z'))).toBe('Nov 23, 2026, 1:30 AM');
    expect(format.day('2026-11-22T16:30:00Z')).toBe('Nov 23, 2026');
  });

  it('leave a bare date on its day in every zone', () => {
    for (const zone of ['America/Los_Angeles', 'Pacific/Kiritimati', 'UTC']) {
      expect(makeFormat('en', zone).day('2026-11-22')).toBe('Nov 22, 2026');
    }
  });

  it('do without a zone that the browser does not know', () => {
    expect(makeFormat('en', 'Mars/Olympus').day('2026-11-22')).toBe('Nov 22, 2026');
  });

  it('write amounts exactly, in the currency or beside its word', () => {
    expect(plain(makeFormat('ru', 'UTC').amount('12345678901234567.89', 'RUB'))).toBe(
      '12 345 678 901 234 567,89 ₽',
    );
    expect(makeFormat('ja', 'UTC').amount('385000', 'JPY')).toBe('￥385,000');
    expect(makeFormat('en', 'UTC').amount('10', 'points')).toBe('10 points');
    expect(makeFormat('en', 'UTC').amount(undefined, 'EUR')).toBe('');
  });

  it('tell near moments by how far they are', () => {
    const format = makeFormat('en', 'UTC');
    const now = Date.parse('2026-11-22T12:00:00Z');
    expect(format.relative('2026-11-22T11:57:00Z', now)).toBe('3 minutes ago');
    expect(format.relative('2026-11-24T12:00:00Z', now)).toBe('in 2 days');
    expect(format.relative('2026-12-24T12:00:00Z', now)).toBe('Dec 24, 2026');
  });

  it('show what is no moment as it is', () => {
    expect(makeFormat('en', 'UTC').moment('soon')).toBe('soon');
    expect(makeFormat('en', 'UTC').day(null)).toBe('');
  });
});
