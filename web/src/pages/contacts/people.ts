/** What a contact is called and belongs to, read from traits that may hold anything. */

import type { components } from '../../api/schema';

export type Traits = Record<string, unknown>;

/** As a list shows it, or as another answer holds it. */
export type Contact = components['schemas']['Contact'] & Partial<components['schemas']['ContactShown']>;

export const CHANNELS = ['email', 'sms', 'voice', 'whatsapp', 'telegram'] as const;

/** Characters of a name that pages show: more is no name. */
const NAME_CHARS_MAX = 160;

/** A name fit to stand in a line: not endless, without marks that turn the direction of what stands beside it. */
export function plain(text: string): string {
  const words = text.replace(/[\u202a-\u202e\u2066-\u2069\u200e\u200f]/g, '').trim();
  return words.length > NAME_CHARS_MAX ? `${words.slice(0, NAME_CHARS_MAX)}…` : words;
}

/** A trait as a text, if it is one that can be read. */
export function trait(traits: Traits | undefined, name: string): string | undefined {
  const value = traits?.[name];
  if (typeof value === 'number') {
    return String(value);
  }
  return typeof value === 'string' && plain(value) !== '' ? plain(value) : undefined;
}

export function companyOf(traits: Traits | undefined): string | undefined {
  const account = traits?.account;
  const named =
    typeof account === 'object' && account !== null ? trait(account as Traits, 'name') : undefined;
  const company = traits?.company;
  return (
    named ??
    (typeof company === 'object' && company !== null
      ? trait(company as Traits, 'name')
      : trait(traits, 'company'))
  );
}

/** Who is responsible, where somebody is. */
export function ownerOf(contact: Contact): string | undefined {
  return contact.owner ?? trait(contact.traits, 'owner');
}

export function nameOf(contact: Pick<Contact, 'id' | 'traits' | 'name'>): string {
  const { traits } = contact;
  if (typeof contact.name === 'string') {
    return plain(contact.name);
  }
  const both = [
    trait(traits, 'firstName') ?? trait(traits, 'first_name'),
    trait(traits, 'lastName') ?? trait(traits, 'last_name'),
  ]
    .filter((part) => part !== undefined)
    .join(' ');
  const whole = trait(traits, 'name') ?? (both === '' ? undefined : both);
  return whole ?? companyOf(traits) ?? trait(traits, 'email') ?? trait(traits, 'phone') ?? contact.id;
}
