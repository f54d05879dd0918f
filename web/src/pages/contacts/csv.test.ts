import { expect, it } from 'vitest';
import { cell, csvOf } from './csv';

it('a cell is never a formula, nor two cells', () => {
  expect(cell('=1+1')).toBe("'=1+1");
  expect(cell('@x')).toBe("'@x");
  expect(cell('a,"b"')).toBe('"a,""b"""');
  expect(cell('Анна')).toBe('Анна');
});

it('contacts are written with their heads, a line each', () => {
  const traits = { name: 'Ann', email: 'a@b.example' };
  const text = csvOf([{ id: 'con_1', created_at: '2026-01-01T00:00:00Z', traits }]);
  expect(text.split('\r\n')).toEqual([
    '\ufeffid,name,company,email,phone,owner,grade,created_at',
    'con_1,Ann,,a@b.example,,,,2026-01-01T00:00:00Z',
    '',
  ]);
});
