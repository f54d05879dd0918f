import { describe, expect, it } from 'vitest';
import { decimalOf, left, smaller } from './amount';

describe('amounts', () => {
  it.each([
    ['1200.50', '1200.50'],
    ['1 200,50', '1200.50'],
    ['1\u00a0200,50', '1200.50'],
    ['1.200,50', '1200.50'],
    ['1,200.50', '1200.50'],
    ['1,200,000', '1200000'],
    ['100', '100'],
    ['', undefined],
    ['-5', undefined],
    ['5 EUR', undefined],
  ])('%s is read as %s', (text, expected) => {
    expect(decimalOf(text)).toBe(expected);
  });

  it('are summed without rounding', () => {
    expect(left('0.3', ['0.1', '0.2'])).toBe('0');
    expect(left('30000', ['27500', '100.05'])).toBe('2399.95');
    expect(left('10', ['10.01'])).toBe('-0.01');
    expect(left('1500', ['500'])).toBe('1000');
    expect(smaller('99.9', '100')).toBe('99.9');
  });
});
