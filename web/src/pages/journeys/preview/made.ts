/** A contact and events that are made up for a preview. Pure. */
import { isPlain, type Plain } from '../model/render';

export type MadeEvent = {
  key: number;
  name: string /** Days and hours after the beginning. */;
  day: number;
  time: string;
  properties: string;
};
export type Made = { email: string; name: string; zone: string; traits: string; events: MadeEvent[] };

const DAY_MS = 86_400_000;

/** A made-up contact to whom what begins the journey happens, as far as its text tells. */
export function madeFor(journey: Plain, zone: string): Made {
  const trigger = isPlain(journey.trigger) ? journey.trigger : {};
  const subject =
    typeof journey.subject === 'string' && journey.subject !== 'contact' ? journey.subject : undefined;
  const properties: Plain = {};
  const traits: Plain = {};
  const about: Plain = { id: '1' };
  for (const [field, value] of Object.entries(isPlain(trigger.where) ? trigger.where : {})) {
    const [root, ...rest] = field.split('.');
    const name = rest.join('.');
    const plain = exampleOf(value);
    if (
      plain === undefined ||
      ['all', 'any', 'not', 'did', 'in_segment', 'engaged', 'has', 'rfm'].includes(field)
    ) {
      continue;
    }
    if (root === 'subject' && name !== '') {
      about[name] = plain;
    } else if (root === 'contact' && name !== '') {
      traits[name] = plain;
    } else if (trigger.event !== undefined && trigger.inactive === undefined) {
      properties[field.replace(/^event\./, '')] = plain;
    } else {
      traits[field] = plain;
    }
  }
  if (subject !== undefined) {
    properties[subject] = { number: 'A-1', amount: 250_000, currency: 'EUR', ...about };
  }
  const name =
    typeof trigger.form === 'string'
      ? 'Form Submitted'
      : typeof trigger.event === 'string'
        ? trigger.event
        : undefined;
  if (typeof trigger.form === 'string') {
    properties.form = trigger.form;
  }
  const events =
    name === undefined
      ? []
      : [
          {
            key: 1,
            name,
            day: 0,
            time: '10:00',
            properties: Object.keys(properties).length === 0 ? '' : JSON.stringify(properties),
          },
        ];
  return {
    email: 'ana@client.example',
    name: 'Ana Example',
    zone,
    traits: Object.keys(traits).length === 0 ? '' : JSON.stringify(traits),
    events,
  };
}

/** A value for which a simple comparison holds. */
function exampleOf(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value[0];
  }
  if (!isPlain(value)) {
    return value;
  }
  for (const word of ['eq', 'gte', 'lte'] as const) {
    if (word in value && !isPlain(value[word])) {
      return value[word];
    }
  }
  if (typeof value.gt === 'number') {
    return value.gt + 1;
  }
  if (typeof value.lt === 'number') {
    return value.lt - 1;
  }
  if (Array.isArray(value.in)) {
    return value.in[0];
  }
  return typeof value.contains === 'string' || typeof value.starts_with === 'string'
    ? (value.contains ?? value.starts_with)
    : value.exists === true
      ? 'x'
      : undefined;
}

export class MadeProblem extends Error {
  constructor(readonly field: string) {
    super(field);
  }
}

function mapOf(text: string, field: string): Plain {
  if (text.trim() === '') {
    return {};
  }
  try {
    const value: unknown = JSON.parse(text);
    if (isPlain(value)) {
      return value;
    }
  } catch {
    // Told below.
  }
  throw new MadeProblem(field);
}

/** The Segment calls that tell of it; the first day is that of `begin`, the hours are the contact's. */
export function callsOf(made: Made, begin: Date): { identify: unknown; events: unknown[] } {
  const traits = mapOf(made.traits, 'traits');
  const userId = made.email === '' ? 'ana' : made.email;
  const identify = {
    type: 'identify',
    userId,
    traits: {
      ...(made.name === '' ? {} : { name: made.name }),
      ...(made.email === '' ? {} : { email: made.email }),
      ...(made.zone === '' ? {} : { timezone: made.zone }),
      ...traits,
    },
  };
  const events = made.events
    .filter((event) => event.name.trim() !== '')
    .map((event) => ({
      type: 'track',
      userId,
      event: event.name.trim(),
      timestamp: momentOf(begin, event.day, event.time, made.zone).toISOString(),
      properties: mapOf(event.properties, event.name),
    }));
  return { identify, events };
}

/** A time of day in a zone, so many days after another day. */
export function momentOf(begin: Date, day: number, time: string, zone: string): Date {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  const civil = new Date(begin.getTime() + day * DAY_MS);
  const parts = partsIn(civil, zone);
  const wanted = Date.UTC(parts.year, parts.month - 1, parts.day, hours, minutes);
  // The distance of the zone's clock at about that moment.
  const there = partsIn(new Date(wanted), zone);
  const off = Date.UTC(there.year, there.month - 1, there.day, there.hour, there.minute) - wanted;
  return new Date(wanted - off);
}

function partsIn(at: Date, zone: string) {
  let format: Intl.DateTimeFormat;
  const options: Intl.DateTimeFormatOptions = {
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  };
  try {
    format = new Intl.DateTimeFormat('en', { ...options, timeZone: zone === '' ? 'UTC' : zone });
  } catch {
    format = new Intl.DateTimeFormat('en', { ...options, timeZone: 'UTC' });
  }
  const found: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(at)) {
    found[type] = Number(value);
  }
  const { year = 1970, month = 1, day = 1, hour = 0, minute = 0 } = found;
  return { year, month, day, hour, minute };
}
