/** What may stand at a place of a journey's text: keys by what is around, names by the key before. */

export type Names = {
  events: readonly string[];
  templates: readonly string[];
  segments: readonly string[];
  journeys: readonly string[];
  lists: readonly string[];
};
export type Offer = { label: string; insert: string; sort: 'key' | 'value' | 'name' };
export type Completed = { from: number; offers: Offer[] };

/** Events that the engine and the usual sources tell of. */
export const EVENTS = [
  'Call Completed',
  'Call Missed',
  'Cart Emptied',
  'Checkout Started',
  'Deal Created',
  'Deal Lost',
  'Deal Updated',
  'Deal Won',
  'Document Paid',
  'Document Sent',
  'Email Bounced',
  'Email Link Clicked',
  'Email Opened',
  'Form Submitted',
  'Lesson Viewed',
  'Order Cancelled',
  'Order Completed',
  'Order Delivered',
  'Order Fulfilled',
  'Product Added',
  'Product Viewed',
  'Products Searched',
  'Replied',
  'Review Submitted',
  'Signed Up',
  'Unsubscribed',
] as const;

const HEAD = [
  'format',
  'id',
  'name',
  'subject',
  'trigger',
  'reentry',
  'goal',
  'exit',
  'holdout',
  'approval',
  'topic',
  'priority',
  'away',
  'steps',
];
const VERBS: Record<string, string[]> = {
  send: ['template', 'from', 'approval', 'if', 'content', 'digest', 'opened_within', 'otherwise'],
  wait: ['window'],
  wait_for: ['timeout', 'then', 'else'],
  branch: [],
  split: ['by', 'experiment'],
  task: [],
  notify: ['text', 'template'],
  set: [],
  move: [],
  promo: [],
  enroll: [],
  stop: [],
};
const LISTS_OF_STEPS = new Set(['steps', 'then', 'else', 'otherwise']);
const ARMS: Record<string, string[]> = {
  branch: ['if', 'then', 'else'],
  split: ['variant', 'weight', 'then'],
  wait_for: ['event', 'if', 'where', 'since', 'then'],
  exit: ['event', 'where', 'any'],
};
const MAPS: Record<string, string[]> = {
  trigger: [
    'event',
    'where',
    'form',
    'segment_entered',
    'segment_left',
    'changed',
    'inactive',
    'date',
    'schedule',
    'segment',
    'manual',
    'api',
    'offset',
    'at',
    'yearly',
    'from',
    'to',
  ],
  goal: ['event', 'where', 'within'],
  approval: ['by', 'deputy', 'deputy_after', 'expires', 'lapse'],
  holdout: ['share', 'by'],
  window: ['days', 'hours'],
  wait: ['until', 'offset', 'at', 'default'],
  wait_for: ['event', 'if', 'where', 'since'],
  task: ['title', 'due', 'assignee'],
  notify: ['to', 'text', 'template'],
  promo: ['prefix', 'save_as', 'valid', 'fields'],
  schedule: ['days', 'at', 'every', 'on'],
  where: ['all', 'any', 'not', 'did', 'in_segment', 'engaged', 'subject.', 'contact.', 'event.'],
  if: ['all', 'any', 'not', 'did', 'in_segment', 'engaged', 'subject.', 'contact.', 'event.'],
};
const VALUES: Record<string, string[]> = {
  format: ['journey/1'],
  send: ['email', 'sms', 'voice', 'whatsapp', 'telegram', 'webhook', 'letter'],
  from: ['owner_mailbox', 'workspace'],
  approval: ['auto', 'owner', 'role:head'],
  notify: ['owner', 'role:head'],
  subject: ['contact', 'document', 'deal', 'order', 'cart'],
  reentry: ['once', 'once_per_subject', 'always', '{ after: 30d }'],
  trigger: ['manual', 'api'],
  since: ['enrolled', 'now'],
  by: ['contact', 'account'],
  lapse: ['skip', 'send', 'stop', 'call'],
  until: ['best_hour', 'subject.due'],
  days: ['bd', 'mon-fri'],
};

export function complete(text: string, at: number, names: Names): Completed | undefined {
  const start = text.lastIndexOf('\n', at - 1) + 1;
  const line = text.slice(start, at);
  if (/(^|\s)#/.test(line)) {
    return undefined;
  }
  const value = /(?:^|[\s{,])([\w.]+):\s+(["']?)([^{}[\],:]*)$/.exec(line);
  if (value !== null) {
    const [, key = '', quote = '', typed = ''] = value;
    const offers = valuesOf(key, names, quote !== '');
    return offers.length === 0 ? undefined : { from: at - typed.length, offers };
  }
  const braces = /(?:^|[\s{,])([\w.]+):\s*\{([^{}]*[{,]\s*|\s*)([\w.]*)$/.exec(line);
  if (braces !== null) {
    const [, key = '', , typed = ''] = braces;
    return offered(MAPS[key] ?? [], at - typed.length);
  }
  const bare = /^(\s*)(-\s+)?([\w.]*)$/.exec(line);
  if (bare === null) {
    return undefined;
  }
  const [, indent = '', dash, typed = ''] = bare;
  return offered(keysAt(text, start, indent.length, dash), at - typed.length);
}

function offered(keys: readonly string[], from: number): Completed | undefined {
  const offers = keys.map((key): Offer => {
    const insert = key === 'stop' || key.endsWith('.') ? key : `${key}: `;
    return { label: key, insert, sort: 'key' };
  });
  return offers.length === 0 ? undefined : { from, offers };
}

function valuesOf(key: string, names: Names, isQuoted: boolean): Offer[] {
  const known = namesOf(key, names);
  const quoted = (name: string) =>
    isQuoted || /^[\p{L}\p{N}_][\p{L}\p{N} ._/-]*$/u.test(name) ? name : JSON.stringify(name);
  return [
    ...known.map((name): Offer => ({ label: name, insert: quoted(name), sort: 'name' })),
    ...(VALUES[key] ?? []).map((word): Offer => ({ label: word, insert: word, sort: 'value' })),
  ];
}

function namesOf(key: string, names: Names): readonly string[] {
  switch (key) {
    case 'event':
    case 'did':
      return names.events;
    case 'template':
      return names.templates;
    case 'in_segment':
    case 'segment_entered':
    case 'segment_left':
    case 'segment':
      return names.segments;
    case 'enroll':
      return names.journeys;
    case 'content':
      return names.lists;
    default:
      return [];
  }
}

/** Keys that fit a line, by the lines above that are less far in. */
function keysAt(text: string, start: number, indent: number, dash: string | undefined): readonly string[] {
  const above = text.slice(0, start).split('\n').reverse();
  const column = indent + (dash?.length ?? 0);
  if (dash === undefined && column === 0) {
    return HEAD;
  }
  const parent = parentKey(above, dash === undefined ? column : indent + 1);
  if (dash !== undefined) {
    return LISTS_OF_STEPS.has(parent ?? '') ? [...Object.keys(VERBS), 'id'] : (ARMS[parent ?? ''] ?? []);
  }
  const item = ownItem(above, column);
  if (item !== undefined) {
    const list = parentKey(item.above, item.indent + 1);
    if (LISTS_OF_STEPS.has(list ?? '')) {
      const verb = Object.keys(VERBS).find((one) => item.keys.includes(one));
      return verb === undefined ? Object.keys(VERBS) : [...(VERBS[verb] ?? []), 'id', 'late'];
    }
    return ARMS[list ?? ''] ?? [];
  }
  return MAPS[parent ?? ''] ?? [];
}

/** The key that the lines at a column stand below. */
function parentKey(above: readonly string[], column: number): string | undefined {
  for (const line of above) {
    const match = /^(\s*(?:-\s+)?)([\w.]+):\s*(#.*)?$/.exec(line);
    if (match !== null && (match[1] ?? '').length < column) {
      return match[2];
    }
    const less = /^(\s*)\S/.exec(line);
    if (less !== null && (less[1] ?? '').length === 0 && !line.startsWith('-') && match === null) {
      return undefined;
    }
  }
  return undefined;
}

/** The member of a list whose keys stand at a column, with those that it has. */
function ownItem(
  above: readonly string[],
  column: number,
): { keys: string[]; indent: number; above: readonly string[] } | undefined {
  const keys: string[] = [];
  for (const [at, line] of above.entries()) {
    const match = /^(\s*)(-\s+)?([\w.]+):/.exec(line);
    if (match === null) {
      if (/^\s*(#|$)/.test(line) || line.search(/\S/) > column) {
        continue;
      }
      return undefined;
    }
    const [, space = '', dash, key = ''] = match;
    const own = space.length + (dash?.length ?? 0);
    if (own > column) {
      continue;
    }
    if (own < column) {
      return undefined;
    }
    keys.push(key);
    if (dash !== undefined) {
      return { keys, indent: space.length, above: above.slice(at + 1) };
    }
  }
  return undefined;
}

/** Names of events that texts speak of. */
export function eventsIn(texts: readonly string[]): string[] {
  const found = new Set<string>(EVENTS);
  for (const text of texts) {
    for (const [, name = ''] of text.matchAll(/\b(?:event|did):\s*["']?([^"'{}[\],#\n]+)/g)) {
      found.add(name.trim());
    }
  }
  return [...found].filter((name) => name !== '').sort();
}
