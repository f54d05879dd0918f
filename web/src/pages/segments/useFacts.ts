/** Names that a condition may ask about: what the workspace's contacts have, and what the field calls things. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { answer, api } from '../../api/client';

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

const FRESH_MS = 60_000;

/** Names that are in use, as the server has seen them; what could not be read is simply not offered. */
export function useNamesInUse(kind: 'events' | 'traits' | 'objects' | 'fields'): string[] | undefined {
  const found = useQuery({
    queryKey: ['segments', 'names', kind],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/names', { params: { query: { kind } }, signal })),
    staleTime: FRESH_MS,
    retry: false,
  });
  const items = found.data?.items;
  return useMemo(() => items?.map((one) => one.name), [items]);
}

export function useFacts(texts: readonly (string | undefined)[]): Facts {
  const traits = useNamesInUse('traits');
  const seen = useNamesInUse('events');
  const kinds = useNamesInUse('objects');
  return useMemo(() => {
    const events = new Set([...(seen ?? []), ...EVENTS]);
    for (const text of texts) {
      for (const [, name] of (text ?? '').matchAll(/\bdid:\s*["']?([^"',}\n#]+)/g)) {
        events.add((name ?? '').trim());
      }
    }
    return {
      fields: [...new Set([...(traits ?? []), ...FIELDS])],
      events: [...events],
      objects: [...new Set([...(kinds ?? []), ...OBJECTS])],
    };
  }, [traits, seen, kinds, texts]);
}
