/** Journeys to begin with, in the words of whoever begins. */
import type { TFunction } from 'i18next';
import { idOf as idFrom } from '../../../shared/editing/idOf';
import { scalar } from '../model/render';

export const STARTS = ['welcome', 'cart', 'empty'] as const;
export type Start = (typeof STARTS)[number];

/** Ids that mean something else in the API. */
const RESERVED = new Set(['check', 'preview', 'backtest', 'new']);

/** An id made of a name; empty where the name has no letters for one. */
export const idOf = (name: string): string => idFrom(name, RESERVED);

export function isId(id: string): boolean {
  return /^[a-z0-9_-]{1,64}$/.test(id) && !RESERVED.has(id);
}

export function startText(start: Start, id: string, name: string, t: TFunction): string {
  const head = `format: journey/1\nid: ${id}\nname: ${scalar(name)}\n`;
  switch (start) {
    case 'welcome':
      return `${head}trigger:
  event: Signed Up
reentry: once
goal: { event: Order Completed, within: 30d }
topic: onboarding
steps:
  - id: welcome
    send: email
    template: welcome
  - id: reaction
    wait_for: { event: Email Link Clicked }
    timeout: 3d
    then:
      - set: { contact.welcomed: true }
    else:
      - id: ask
        task: { title: ${scalar(t('journeys:start.ask'), true)}, due: 1bd }
`;
    case 'cart':
      return `${head}subject: cart
trigger:
  inactive: 45m
  event: Product Added
  where: { not: { did: Order Completed, within: 1h } }
reentry: once_per_subject
goal: { event: Order Completed, within: 7d }
exit:
  - { event: Order Completed }
  - { event: Cart Emptied }
holdout: 10%
topic: carts
steps:
  - id: first
    send: email
    template: cart-left
  - id: a-day
    wait: 1d
    window: { hours: 10:00-20:00 }
  - id: code
    promo: { prefix: CART, valid: 2d, fields: { discount: 5 } }
  - id: second
    send: email
    template: cart-code
`;
    case 'empty':
      return `${head}trigger:
  event: Signed Up
steps:
  - wait: 1d
`;
  }
}
