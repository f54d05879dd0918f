/** Amounts as people write them, and sums of them without rounding. */

/** Digits before the point and behind it, as the server takes them. */
const DECIMAL = /^\d{1,13}(\.\d{1,4})?$/;
const PLACES = 4;

/** `1 200,50`, `1,200.50` and `1.200,50` are `1200.50`; `undefined` when it is no amount. */
export function decimalOf(text: string): string | undefined {
  const packed = text.replace(/[\s'’]/g, '');
  const [comma, point] = [packed.lastIndexOf(','), packed.lastIndexOf('.')];
  const sign = Math.max(comma, point);
  // The same sign twice, or one with three digits behind it that another precedes, parts thousands.
  const isThousands = sign >= 0 && packed.indexOf(packed[sign] ?? '') !== sign;
  const whole = (sign < 0 || isThousands ? packed : packed.slice(0, sign)).replace(/[.,]/g, '');
  const text2 = sign < 0 || isThousands ? whole : `${whole}.${packed.slice(sign + 1)}`;
  return DECIMAL.test(text2) ? text2 : undefined;
}

/** In ten thousandths. */
function parts(decimal: string): bigint {
  const [whole = '0', part = ''] = decimal.replace('-', '').split('.');
  const size = BigInt(whole + part.padEnd(PLACES, '0').slice(0, PLACES));
  return decimal.startsWith('-') ? -size : size;
}

/** What is left of the first when the others are taken from it. */
export function left(amount: string, taken: string[]): string {
  const rest = taken.reduce((all, one) => all - parts(one), parts(amount));
  const digits = String(rest < 0n ? -rest : rest).padStart(PLACES + 1, '0');
  const text = `${digits.slice(0, -PLACES)}.${digits.slice(-PLACES)}`.replace(/\.?0+$/, '');
  return rest < 0n ? `-${text}` : text;
}

export function smaller(one: string, other: string): string {
  return parts(one) < parts(other) ? one : other;
}
