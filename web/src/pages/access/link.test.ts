import { describe, expect, it } from 'vitest';
import { linkSecret, placeAfter } from './link';

describe('a one-time link', () => {
  it('carries its secret behind the #, named or bare', () => {
    expect(linkSecret('#abc123')).toBe('abc123');
    expect(linkSecret('#link=abc123')).toBe('abc123');
    expect(linkSecret('#')).toBeUndefined();
    expect(linkSecret('')).toBeUndefined();
  });
});

describe('the place after the sign-in', () => {
  it('is one of this interface, never another site', () => {
    expect(placeAfter('/documents?state=open')).toBe('/documents?state=open');
    for (const to of ['//evil.test/', '/\\evil.test', 'https://evil.test/', 'javascript:alert(1)', 7]) {
      expect(placeAfter(to), String(to)).toBe('/');
    }
  });

  it('is not the sign-in again', () => {
    expect(placeAfter('/sign-in?to=/')).toBe('/');
  });
});
