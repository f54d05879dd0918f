import { describe, expect, it } from 'vitest';
import { strength } from './strength';

describe('a password', () => {
  it('is short below ten characters, of any script', () => {
    expect(strength('Tr0ub4dor')).toBe('short');
    expect(strength('слово')).toBe('short');
    expect(strength('')).toBe('short');
  });

  it('is weak when it is little more than what everybody tries, or than the person', () => {
    expect(strength('password123')).toBe('weak');
    expect(strength('1234567890')).toBe('weak');
    expect(strength('aaaaaaaaaaaaaaaa')).toBe('weak');
    expect(strength('anna.petrova2026', ['anna.petrova@shop.test', 'Anna Petrova'])).toBe('weak');
  });

  it('is strong when it is a sentence', () => {
    expect(strength('correct horse battery')).toBe('strong');
    expect(strength('синий трамвай у реки')).toBe('strong');
  });
});
