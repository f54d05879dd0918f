/** Chosen rows as a file. Everything that is listed is written by the server. */
import { type Contact, companyOf, nameOf, trait } from './people';

const COLUMNS = ['id', 'name', 'company', 'email', 'phone', 'owner', 'grade', 'created_at'] as const;

/** A cell that no spreadsheet takes for a formula or for two cells. */
export function cell(text: string): string {
  const inert = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",;\n\r]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}

export function csvOf(contacts: Contact[]): string {
  const value = (contact: Contact, column: (typeof COLUMNS)[number]): string => {
    switch (column) {
      case 'id':
        return contact.id;
      case 'name':
        return nameOf(contact);
      case 'company':
        return companyOf(contact.traits) ?? '';
      case 'created_at':
        return contact.created_at;
      case 'email':
      case 'phone':
      case 'owner':
      case 'grade':
        return trait(contact.traits, column) ?? '';
    }
  };
  const lines = contacts.map((contact) => COLUMNS.map((column) => cell(value(contact, column))).join(','));
  // The mark tells spreadsheets that it is UTF-8.
  return `\ufeff${[COLUMNS.join(','), ...lines].join('\r\n')}\r\n`;
}

export function saveRows(contacts: Contact[]): void {
  const url = URL.createObjectURL(new Blob([csvOf(contacts)], { type: 'text/csv' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = 'contacts.csv';
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1_000);
}
