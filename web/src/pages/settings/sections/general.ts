/** The workspace's own settings as a form. */
import type { FieldProblem } from '../edit/problems';
import { asText, asTexts } from '../parts/values';
import { asNumber, asRaw, orNull, type Raw } from './values';

export const EXPIRY_UNITS = ['h', 'd', 'bd', 'w'] as const;

export type GeneralForm = {
  name: string;
  public_url: string;
  internal_domains: string[];
  zone: string;
  calendar: string;
  language: string;
  country: string;
  address: string;
  from_name: string;
  expiry: number | '';
  expiryUnit: string;
  /** Percent. */
  holdout: number | '';
  opt_in_topics: string[];
  service_asks: string[];
  /** What the server has and this form does not know: it stays. */
  rest: Raw;
};

const OWN = [
  'name',
  'public_url',
  'internal_domains',
  'zone',
  'calendar',
  'language',
  'country',
  'address',
  'from_name',
  'approval_expiry',
  'holdout',
  'opt_in_topics',
  'service_asks',
];

export const SERVICE_ASKS = ['consent', 'holdout', 'caps', 'quiet_hours'] as const;
export const GENERAL_FIELDS: readonly string[] = OWN;

export function readGeneral(value: unknown): GeneralForm {
  const raw = asRaw(value);
  const expiry = /^\s*(\d+)\s*([a-z]+)\s*$/.exec(asText(raw.approval_expiry));
  return {
    name: asText(raw.name),
    public_url: asText(raw.public_url),
    internal_domains: asTexts(raw.internal_domains),
    zone: asText(raw.zone),
    calendar: asText(raw.calendar),
    language: asText(raw.language),
    country: asText(raw.country).toUpperCase(),
    address: asText(raw.address),
    from_name: asText(raw.from_name),
    expiry: asNumber(expiry?.[1]),
    expiryUnit: expiry?.[2] ?? 'd',
    holdout: asNumber(asText(raw.holdout).replace('%', '')),
    opt_in_topics: asTexts(raw.opt_in_topics),
    service_asks: asTexts(raw.service_asks),
    rest: Object.fromEntries(Object.entries(raw).filter(([key]) => !OWN.includes(key))),
  };
}

export function writeGeneral(form: GeneralForm): Raw {
  return {
    ...form.rest,
    name: form.name.trim(),
    public_url: form.public_url.trim().replace(/\/+$/, ''),
    internal_domains: form.internal_domains.map((one) => one.trim().replace(/^@/, '').toLowerCase()),
    zone: form.zone,
    calendar: form.calendar,
    language: form.language,
    country: orNull(form.country),
    address: orNull(form.address),
    from_name: orNull(form.from_name),
    approval_expiry: `${form.expiry}${form.expiryUnit}`,
    holdout: `${form.holdout === '' ? 0 : form.holdout}%`,
    opt_in_topics: form.opt_in_topics,
    service_asks: form.service_asks,
  };
}

type Words = (key: string, values?: Record<string, unknown>) => string;

export function checkGeneral(form: GeneralForm, t: Words): FieldProblem[] {
  const found: FieldProblem[] = [];
  const wrong = (field: string, message: string) => found.push({ field, message });
  if (form.name.trim() === '') {
    wrong('name', t('settings:edit.required'));
  }
  if (!/^https?:\/\/[^\s/]+/i.test(form.public_url.trim())) {
    wrong('public_url', t('settings:workspace.wrongUrl'));
  }
  if (form.address.trim() !== '' && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(form.address.trim())) {
    wrong('address', t('settings:edit.address'));
  }
  if (form.expiry === '' || form.expiry < 1) {
    wrong('approval_expiry', t('settings:edit.number'));
  }
  const bad = form.internal_domains.find((one) => !/^@?[\p{L}\p{N}-]+(\.[\p{L}\p{N}-]+)+$/u.test(one.trim()));
  if (bad !== undefined) {
    wrong('internal_domains', t('settings:workspace.wrongDomain', { domain: bad }));
  }
  return found;
}
