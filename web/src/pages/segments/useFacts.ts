/** Names that a condition may ask about: what the workspace's contacts have, and what the field calls things. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { call } from '../../shared/call';
import type { MemberContact, Page } from './api';

/** Contacts whose fields are looked at: more would tell little that is new. */
const CONTACTS_LOOKED_AT = 100;

const FIELDS = [
  'email',
  'phone',
  'first_name',
  'last_name',
  'name',
  'company',
  'city',
  'country',
  'language',
  'timezone',
  'birthday',
  'created_at',
  'owner',
  'grade',
  'tags',
];

const EVENTS = [
  'Order Completed',
  'Checkout Started',
  'Product Added',
  'Product Viewed',
  'Products Searched',
  'Page Viewed',
  'Screen Viewed',
  'Form Submitted',
  'Signed Up',
  'Document Sent',
  'Document Paid',
  'Replied',
  'Email Delivered',
  'Email Opened',
  'Email Link Clicked',
  'Subscribed',
  'Unsubscribed',
  'Preferences Updated',
  'Call Answered',
  'Call Missed',
];

const OBJECTS = ['deal', 'document', 'order', 'cart'];

export type Facts = { fields: string[]; events: string[]; objects: string[] };

export function useFacts(texts: readonly (string | undefined)[]): Facts {
  const found = useQuery({
    queryKey: ['contacts', 'fields'],
    queryFn: ({ signal }) =>
      call<Page<MemberContact>>('GET', '/api/v1/contacts', {
        params: { query: { limit: CONTACTS_LOOKED_AT } },
        signal,
      }),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const contacts = found.data?.items;
  return useMemo(() => {
    const own = new Set<string>();
    for (const { traits } of contacts ?? []) {
      for (const [name, value] of Object.entries(traits ?? {})) {
        if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
          for (const inner of Object.keys(value)) {
            own.add(`${name}.${inner}`);
          }
        } else {
          own.add(name);
        }
      }
    }
    const events = new Set(EVENTS);
    for (const text of texts) {
      for (const [, name] of (text ?? '').matchAll(/\bdid:\s*["']?([^"',}\n#]+)/g)) {
        events.add((name ?? '').trim());
      }
    }
    return {
      fields: [...new Set([...[...own].sort(), ...FIELDS])],
      events: [...events],
      objects: OBJECTS,
    };
  }, [contacts, texts]);
}
