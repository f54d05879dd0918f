import { expect, it } from 'vitest';
import { companyOf, nameOf, plain, trait } from './people';

const named = (traits: Record<string, unknown>) => nameOf({ id: 'con_1', traits });

it('a contact is called by the best that is known', () => {
  expect(named({ name: 'Ann', company: 'Alder' })).toBe('Ann');
  expect(named({ firstName: 'Ann', last_name: 'Lee' })).toBe('Ann Lee');
  expect(named({ company: { name: 'Alder' }, email: 'a@b.example' })).toBe('Alder');
  expect(named({ name: '  ', email: 'a@b.example' })).toBe('a@b.example');
  expect(named({ name: { first: 'Ann' } })).toBe('con_1');
});

it('a hostile name stays in its line', () => {
  expect(plain('\u202eevil\u2066')).toBe('evil');
  expect(plain('x'.repeat(10_000)).length).toBeLessThan(200);
  expect(trait({ name: ['a'] }, 'name')).toBeUndefined();
  expect(companyOf({ account: { name: 'Alder' }, company: 'Other' })).toBe('Alder');
});
