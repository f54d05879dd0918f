import { describe, expect, it } from 'vitest';
import { gaps, readMapping, targetOf, traitName, writeMapping, writtenTarget } from './mapping';

const TEXT = `format: import/1
encoding: windows-1251
mode: upsert
columns:
  "E-mail": email
  "Имя: полное": name
  "#3": { trait: "сумма", type: number }
  "Рассылка": { consent: email }
  "Новости": { topic: "news" }
  "Комментарий": skip
`;

describe('a mapping', () => {
  it('comes back as it was, what the form does not show included', () => {
    const mapping = readMapping(TEXT);
    if (mapping === undefined) {
      throw new Error('it cannot be read');
    }
    expect(readMapping(writeMapping(mapping))).toEqual(mapping);
    expect(mapping.encoding).toBe('windows-1251');
    for (const value of Object.values(mapping.columns)) {
      expect(writtenTarget(targetOf(value))).toEqual(value);
    }
  });

  it('needs something that a contact is found by, and each field once', () => {
    expect(gaps({ columns: { a: 'first_name' } })).toEqual(['key']);
    expect(gaps({ columns: { a: 'email', b: 'email' } })).toEqual(['twice']);
    expect(gaps({ columns: { a: 'email', b: 'skip', c: 'skip' } })).toEqual([]);
  });

  it('that is no mapping is none', () => {
    expect(readMapping(': : :')).toBeUndefined();
    expect(readMapping('text')).toBeUndefined();
  });

  it('names a field of one’s own by its column', () => {
    expect(traitName(' Сумма заказов. ')).toBe('Сумма_заказов_');
    expect(traitName('')).toBe('field');
  });
});
