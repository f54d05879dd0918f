/** What a new segment begins with. */
import { stringify } from 'yaml';

export const STARTS = ['condition', 'list', 'grades'] as const;
export type Start = (typeof STARTS)[number];

export const ID = /^[a-z0-9_-]{1,64}$/;

export function startText(start: Start, id: string, name: string): string {
  const head = { id, ...(name === '' ? {} : { name }) };
  const body = {
    condition: { format: 'segment/1', ...head, when: [] },
    list: { format: 'segment/1', ...head, listed: true },
    grades: {
      format: 'grades/1',
      ...head,
      ways: [
        { if: [{ did: 'Order Completed', within: '90d' }], is: 'A' },
        { if: [{ did: 'Product Viewed', within: '30d' }], is: 'B' },
        { else: 'C' },
      ],
    },
  };
  return stringify(body[start], { lineWidth: 0 });
}
