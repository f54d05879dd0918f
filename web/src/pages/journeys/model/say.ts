/**
 * What a trigger, a step, a way, a condition says, as a sentence in the reader's language.
 *
 * `head` is what it does, `rest` what there is more to say; read together they are the sentence. What is not known or
 * not finished is said as it is written.
 */
import type { TFunction } from 'i18next';
import { sayDuration, sayOffset } from './duration';
import { type Journey, type Step, textOf, type WayLabel } from './journey';
import { flow, isPlain, type Plain } from './render';

export type Said = { head: string; rest: string };

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const SIGNS: Record<string, string> = { eq: '=', ne: '≠', gt: '>', gte: '≥', lt: '<', lte: '≤' };
/** How deep a condition is told. */
const DEPTH_MAX = 4;

/** Why something did or did not happen, by its public code. */
export function sayReason(t: TFunction, code: string): string {
  // A key that ends like a plural would be taken for one.
  return t(`journeys:reason.${code === 'too_many' ? 'tooMany' : code}`, { defaultValue: code });
}

export class Speaker {
  constructor(
    readonly t: TFunction,
    readonly language: string,
  ) {}

  step(step: Step): Said {
    const { value } = step;
    switch (step.kind) {
      case 'send':
        return this.send(value);
      case 'wait':
        return this.wait(value);
      case 'wait_for':
        return this.waitFor(value);
      case 'branch':
        return { head: this.t('journeys:say.branch'), rest: '' };
      case 'split':
        return this.split(value);
      case 'task':
        return this.task(value);
      case 'notify':
        return this.notify(value);
      case 'set':
        return this.set(value);
      case 'move':
        return { head: this.t('journeys:say.move', { stage: this.text(value.move) }), rest: '' };
      case 'promo':
        return this.promo(value);
      case 'enroll':
        return { head: this.t('journeys:say.enroll', { journey: this.text(value.enroll) }), rest: '' };
      case 'stop':
        return { head: this.t('journeys:say.stop'), rest: '' };
      case 'unknown':
        return { head: this.t('journeys:say.unknown'), rest: flow(value) };
    }
  }

  sentence(said: Said): string {
    return said.rest === '' ? said.head : `${said.head}${this.t('journeys:say.comma')}${said.rest}`;
  }

  private send(value: Plain): Said {
    const channel = textOf(value.send) ?? '';
    const known = ['email', 'sms', 'voice', 'whatsapp', 'telegram', 'webhook', 'letter'].includes(channel);
    const template = this.text(value.template);
    const head = known
      ? this.t(`journeys:say.send.${channel}`, { template })
      : this.t('journeys:say.send.other', { template, channel });
    return {
      head,
      rest: this.list([
        value.from === 'owner_mailbox' ? this.t('journeys:say.fromOwner') : '',
        value.content === undefined ? '' : this.t('journeys:say.content', { list: this.text(value.content) }),
        value.approval === undefined ? '' : this.approval(value.approval),
        value.if === undefined ? '' : this.t('journeys:say.if', { condition: this.condition(value.if) }),
        value.digest === undefined ? '' : this.t('journeys:say.digest', { time: this.time(value.digest) }),
        value.opened_within === undefined
          ? ''
          : this.t('journeys:say.openedWithin', { time: this.time(value.opened_within) }),
      ]),
    };
  }

  approval(value: unknown): string {
    const by = isPlain(value) ? textOf(value.by) : textOf(value);
    if (by === undefined || by === 'auto') {
      return this.t('journeys:say.approvalAuto');
    }
    return this.t('journeys:say.approval', { who: this.who(by) });
  }

  who(value: unknown): string {
    const text = this.text(value);
    if (text === 'owner') {
      return this.t('journeys:say.owner');
    }
    if (text.startsWith('role:')) {
      const role = text.slice('role:'.length);
      return ['head', 'admin', 'marketer', 'salesperson'].includes(role)
        ? this.t(`journeys:say.role.${role}`)
        : role;
    }
    return text;
  }

  private wait(value: Plain): Said {
    const { wait } = value;
    const window = isPlain(value.window) ? this.window(value.window) : '';
    if (wait === 'best_hour' || (isPlain(wait) && wait.until === 'best_hour')) {
      return { head: this.t('journeys:say.wait.bestHour'), rest: window };
    }
    if (!isPlain(wait)) {
      return { head: this.t('journeys:say.wait.for', { time: this.time(wait) }), rest: window };
    }
    const until = this.text(wait.until);
    if (/^\d/.test(until)) {
      return { head: this.t('journeys:say.wait.untilTime', { time: until }), rest: window };
    }
    const at = wait.at === undefined ? '' : this.t('journeys:say.at', { time: this.text(wait.at) });
    const head = this.fromDate(until, wait.offset, 'wait');
    return { head, rest: this.list([at, window]) };
  }

  /** "2 working days before the date “due”". */
  private fromDate(field: string, offset: unknown, what: 'wait' | 'trigger'): string {
    const date = this.field(field);
    const distance = offset === undefined ? undefined : sayOffset(this.t, offset);
    if (distance === undefined) {
      return this.t(`journeys:say.${what}.date`, { date });
    }
    const key = distance.before ? 'dateBefore' : 'dateAfter';
    return this.t(`journeys:say.${what}.${key}`, { date, time: distance.time });
  }

  window(window: Plain): string {
    const days = window.days === undefined ? '' : this.days(window.days);
    const hours = window.hours === undefined ? '' : this.hours(window.hours);
    return hours !== '' && days !== ''
      ? this.t('journeys:say.windowBoth', { hours, days })
      : hours !== ''
        ? this.t('journeys:say.windowHours', { hours })
        : days;
  }

  private hours(value: unknown): string {
    const parts = (Array.isArray(value) ? value.map(String) : String(value).split(',')).map((one) =>
      one.trim(),
    );
    return parts
      .map((one) => {
        const [from = '', to = ''] = one.split('-').map((time) => time.trim().replace(/^0(\d)/, '$1'));
        return to === '' ? from : this.t('journeys:say.between', { from, to });
      })
      .join(this.t('journeys:say.comma'));
  }

  days(value: unknown): string {
    const parts = (Array.isArray(value) ? value.map(String) : String(value).split(',')).map((one) =>
      one.trim(),
    );
    return parts
      .map((one) => {
        if (one === 'bd') {
          return this.t('journeys:say.workingDays');
        }
        if (one === 'last') {
          return this.t('journeys:say.lastDay');
        }
        if (/^\d+$/.test(one)) {
          return this.t('journeys:say.dayOfMonth', { day: one });
        }
        return one
          .split('-')
          .map((day) => this.day(day))
          .join('–');
      })
      .join(this.t('journeys:say.comma'));
  }

  day(word: string): string {
    const at = DAYS.findIndex((one) => word.toLowerCase().startsWith(one));
    if (at < 0) {
      return word;
    }
    // 5 January 2026 is a Monday.
    const date = new Date(Date.UTC(2026, 0, 5 + at));
    return new Intl.DateTimeFormat(this.language, { weekday: 'short', timeZone: 'UTC' }).format(date);
  }

  private waitFor(value: Plain): Said {
    const things = Array.isArray(value.wait_for) ? value.wait_for : [value.wait_for];
    const names = things.map((one) => this.awaited(isPlain(one) ? one : {}));
    return {
      head: this.t('journeys:say.waitFor', { what: [...new Set(names)].join(this.t('journeys:say.or')) }),
      rest:
        value.timeout === undefined ? '' : this.t('journeys:say.atMost', { time: this.time(value.timeout) }),
    };
  }

  awaited(thing: Plain): string {
    if (thing.if !== undefined) {
      return this.condition(thing.if);
    }
    const event = this.event(thing.event);
    return thing.where === undefined
      ? event
      : this.t('journeys:say.eventWhere', { event, condition: this.condition(thing.where) });
  }

  private split(value: Plain): Said {
    const arms = Array.isArray(value.split) ? value.split.length : 0;
    return {
      head: this.t('journeys:say.split', { count: arms }),
      rest: value.by === 'account' ? this.t('journeys:say.byAccount') : '',
    };
  }

  private task(value: Plain): Said {
    const task: Plain = isPlain(value.task) ? value.task : { title: value.task };
    return {
      head: this.t('journeys:say.task', { title: this.jinja(task.title) }),
      rest: this.list([
        task.assignee === undefined ? '' : this.t('journeys:say.assignee', { who: this.who(task.assignee) }),
        task.due === undefined ? '' : this.t('journeys:say.due', { time: this.time(task.due) }),
      ]),
    };
  }

  private notify(value: Plain): Said {
    const inner: Plain = isPlain(value.notify) ? value.notify : { to: value.notify, ...value };
    const text = inner.text === undefined ? undefined : this.jinja(inner.text).trim().split('\n')[0];
    return {
      head: this.t('journeys:say.notify', { who: this.who(inner.to) }),
      rest:
        text === undefined
          ? this.t('journeys:say.byTemplate', { template: this.text(inner.template) })
          : text,
    };
  }

  private set(value: Plain): Said {
    const fields = isPlain(value.set) ? value.set : {};
    const parts = Object.entries(fields).map(([field, to]) =>
      to === null
        ? this.t('journeys:say.clear', { field: this.field(field) })
        : `${this.field(field)} = ${typeof to === 'object' ? flow(to) : String(to)}`,
    );
    return { head: this.t('journeys:say.set'), rest: parts.join(this.t('journeys:say.comma')) };
  }

  private promo(value: Plain): Said {
    const promo: Plain = isPlain(value.promo) ? value.promo : { prefix: value.promo };
    return {
      head: this.t('journeys:say.promo', { prefix: this.text(promo.prefix) }),
      rest: promo.valid === undefined ? '' : this.t('journeys:say.valid', { time: this.time(promo.valid) }),
    };
  }

  trigger(journey: Journey): Said {
    const { trigger } = journey.value;
    if (trigger === 'manual' || trigger === 'api') {
      return { head: this.t(`journeys:say.trigger.${trigger}`), rest: '' };
    }
    if (!isPlain(trigger)) {
      return { head: this.t('journeys:say.trigger.none'), rest: '' };
    }
    const where =
      trigger.where === undefined
        ? ''
        : this.t('journeys:say.where', { condition: this.condition(trigger.where) });
    return { head: this.triggerHead(trigger), rest: this.list([this.triggerMore(trigger), where]) };
  }

  private triggerHead(trigger: Plain): string {
    if (trigger.inactive !== undefined) {
      const time = this.time(trigger.inactive);
      return trigger.event === undefined
        ? this.t('journeys:say.trigger.inactive', { time })
        : this.t('journeys:say.trigger.inactiveEvent', { time, event: this.event(trigger.event) });
    }
    if (trigger.event !== undefined) {
      return this.t('journeys:say.trigger.event', { event: this.event(trigger.event) });
    }
    if (trigger.form !== undefined) {
      return this.t('journeys:say.trigger.form', { form: this.text(trigger.form) });
    }
    if (trigger.segment_entered !== undefined) {
      return this.t('journeys:say.trigger.entered', { segment: this.text(trigger.segment_entered) });
    }
    if (trigger.segment_left !== undefined) {
      return this.t('journeys:say.trigger.left', { segment: this.text(trigger.segment_left) });
    }
    if (trigger.changed !== undefined) {
      const changed: Plain = isPlain(trigger.changed)
        ? trigger.changed
        : { ...trigger, field: trigger.changed };
      const field = this.field(this.text(changed.field));
      return changed.to === undefined
        ? this.t('journeys:say.trigger.changed', { field })
        : this.t('journeys:say.trigger.changedTo', { field, to: String(changed.to) });
    }
    if (trigger.date !== undefined) {
      return this.fromDate(this.text(trigger.date), trigger.offset, 'trigger');
    }
    if (isPlain(trigger.schedule)) {
      return this.schedule(trigger.schedule);
    }
    const word = ['manual', 'api'].find((one) => one in trigger);
    return word === undefined ? this.t('journeys:say.trigger.none') : this.t(`journeys:say.trigger.${word}`);
  }

  private schedule(schedule: Plain): string {
    const time = this.text(schedule.at);
    if (schedule.on !== undefined) {
      return this.t('journeys:say.trigger.once', { day: this.text(schedule.on), time });
    }
    const weeks = Number.parseInt(this.text(schedule.every), 10);
    const days = schedule.days === undefined ? this.t('journeys:say.everyDay') : this.days(schedule.days);
    return weeks > 1
      ? this.t('journeys:say.trigger.scheduleWeeks', { days, time, count: weeks })
      : this.t('journeys:say.trigger.schedule', { days, time });
  }

  private triggerMore(trigger: Plain): string {
    if (trigger.schedule !== undefined) {
      return trigger.segment === undefined
        ? this.t('journeys:say.everyone')
        : this.t('journeys:say.members', { segment: this.text(trigger.segment) });
    }
    if (trigger.date !== undefined) {
      return this.list([
        trigger.yearly === true ? this.t('journeys:say.yearly') : '',
        trigger.at === undefined ? '' : this.t('journeys:say.at', { time: this.text(trigger.at) }),
      ]);
    }
    return '';
  }

  exits(journey: Journey): Said {
    const exits = Array.isArray(journey.value.exit) ? journey.value.exit.filter(isPlain) : [];
    const names = exits.map((one) => this.awaited(one)).join(this.t('journeys:say.comma'));
    const goal = isPlain(journey.value.goal) ? this.awaited(journey.value.goal) : '';
    return {
      head: names === '' ? this.t('journeys:say.noExits') : this.t('journeys:say.exits', { what: names }),
      rest: goal === '' ? '' : this.t('journeys:say.goal', { what: goal }),
    };
  }

  way(label: WayLabel): string {
    switch (label.by) {
      case 'if':
        return this.condition(label.condition);
      case 'on':
        return this.awaited(label.awaited);
      case 'variant':
        return `${label.name} · ${new Intl.NumberFormat(this.language, { style: 'percent', maximumFractionDigits: 1 }).format(label.share)}`;
      case 'then':
        return this.t('journeys:say.way.then');
      case 'else':
        return this.t('journeys:say.way.else');
      case 'otherwise':
        return this.t('journeys:say.way.otherwise');
    }
  }

  /** The `else` of a wait is about time. */
  wayOf(step: Step, label: WayLabel): string {
    return label.by === 'else' && step.kind === 'wait_for'
      ? this.t('journeys:say.way.timeout')
      : this.way(label);
  }

  condition(value: unknown, depth = 0): string {
    if (depth > DEPTH_MAX) {
      return '…';
    }
    if (Array.isArray(value)) {
      return value.map((one) => this.inner(one, depth)).join(this.t('journeys:say.and'));
    }
    if (!isPlain(value)) {
      return value === undefined ? '…' : String(value);
    }
    if ('did' in value) {
      return this.did(value, depth);
    }
    if ('has' in value) {
      return this.t('journeys:say.has', { kind: this.text(value.has) });
    }
    const parts = Object.entries(value).map(([key, one]) => this.part(key, one, depth));
    return parts.join(this.t('journeys:say.and'));
  }

  private inner(value: unknown, depth: number): string {
    const text = this.condition(value, depth + 1);
    const several =
      isPlain(value) && ('any' in value || (Object.keys(value).length > 1 && !('did' in value)));
    return several ? `(${text})` : text;
  }

  private did(value: Plain, depth: number, isNot = false): string {
    const event = this.event(value.did);
    const more = this.list([
      value.times === undefined ? '' : this.times(value.times),
      value.within === undefined ? '' : this.t('journeys:say.within', { time: this.time(value.within) }),
      value.where === undefined ? '' : this.condition(value.where, depth + 1),
      isPlain(value.then)
        ? this.t('journeys:say.followed', { what: this.condition(value.then, depth + 1) })
        : '',
    ]);
    const did = isNot ? this.t('journeys:say.didNot', { event }) : this.t('journeys:say.did', { event });
    return more === '' ? did : `${did} (${more})`;
  }

  private times(value: unknown): string {
    if (isPlain(value)) {
      return Object.entries(value)
        .map(([word, count]) => `${SIGNS[word] ?? word} ${String(count)}`)
        .join(', ');
    }
    return `≥ ${String(value)}`;
  }

  private part(key: string, value: unknown, depth: number): string {
    switch (key) {
      case 'all':
        return this.condition(value, depth);
      case 'any':
        return Array.isArray(value)
          ? value.map((one) => this.inner(one, depth)).join(this.t('journeys:say.or'))
          : '…';
      case 'not':
        return this.denied(value, depth);
      case 'in_segment':
        return this.t('journeys:say.inSegment', { segment: this.text(value) });
      case 'engaged':
        return value === true || typeof value !== 'string' || !/\d/.test(value)
          ? this.t('journeys:say.engaged')
          : this.t('journeys:say.engagedWithin', { time: this.time(value) });
      case 'rfm':
        return `RFM ${flow(value)}`;
      default:
        return this.comparison(key, value);
    }
  }

  private denied(value: unknown, depth: number): string {
    const only = isPlain(value) && Object.keys(value).length === 1;
    if (only && 'in_segment' in value) {
      return this.t('journeys:say.notInSegment', { segment: this.text(value.in_segment) });
    }
    if (isPlain(value) && 'did' in value) {
      return this.did(value, depth, true);
    }
    return this.t('journeys:say.not', { what: this.inner(value, depth) });
  }

  private comparison(key: string, value: unknown): string {
    const field = this.field(key);
    if (Array.isArray(value)) {
      return this.t('journeys:say.oneOf', { field, values: value.map(String).join(', ') });
    }
    if (!isPlain(value)) {
      return `${field} = ${String(value)}`;
    }
    return Object.entries(value)
      .map(([word, operand]) => this.test(field, word, operand))
      .join(this.t('journeys:say.and'));
  }

  private test(field: string, word: string, operand: unknown): string {
    const value = this.operand(operand);
    const sign = SIGNS[word];
    if (sign !== undefined) {
      return `${field} ${sign} ${value}`;
    }
    switch (word) {
      case 'exists':
        return operand === false
          ? this.t('journeys:say.missing', { field })
          : this.t('journeys:say.known', { field });
      case 'in':
        return this.t('journeys:say.oneOf', { field, values: value });
      case 'contains':
        return this.t('journeys:say.contains', { field, value });
      case 'starts_with':
        return this.t('journeys:say.startsWith', { field, value });
      case 'before':
        return this.t('journeys:say.before', { field, value });
      case 'after':
        return this.t('journeys:say.after', { field, value });
      default:
        return `${field} ${word} ${value}`;
    }
  }

  private operand(value: unknown): string {
    if (isPlain(value)) {
      if (value.ago !== undefined) {
        return this.t('journeys:say.ago', { time: this.time(value.ago) });
      }
      if (value.in !== undefined) {
        return this.t('journeys:say.ahead', { time: this.time(value.in) });
      }
      return flow(value);
    }
    if (typeof value === 'number') {
      return new Intl.NumberFormat(this.language).format(value);
    }
    return Array.isArray(value) ? value.map(String).join(', ') : String(value);
  }

  field(path: string): string {
    return path.replace(/^(contact|subject|event)\./, '');
  }

  private event(value: unknown): string {
    return this.t('journeys:say.quoted', { text: this.text(value) });
  }

  private time(value: unknown): string {
    return sayDuration(this.t, value);
  }

  private text(value: unknown): string {
    return textOf(value) ?? '…';
  }

  /** A text with places to fill in, which are named and not spelled. */
  private jinja(value: unknown): string {
    return this.text(value).replace(/\{\{\s*([\w.]+)[^}]*\}\}/g, '‹$1›');
  }

  private list(parts: string[]): string {
    return parts.filter((one) => one !== '').join(this.t('journeys:say.comma'));
  }
}
