/** Why a mail is what it is: what it lacks, the rules that fired, and how many points they make. */
import { Anchor, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { type Fired, type Mail, type Rule, rulesQuery } from './api';
import classes from './Recognition.module.css';

/** Words of a rule that are shown of it. */
const WORDS_MAX = 4;
/** What labels and terms of payment found, by their ids, whose words are many. */
const READ: [RegExp, string][] = [
  [/(-number|-title)$|^bare-/, 'number'],
  [/total|to-pay|amount|with-tax/, 'amount'],
  [/^(due|net-days|days-|working-days|on-receipt|month-|weeks-|end-of-)/, 'due'],
  [/^valid-until/, 'valid'],
];
const WHEN = ['from', 'to', 'domain', 'subject', 'file'] as const;

export function hasWhy(mail: Mail): boolean {
  return mail.why.length > 0 || mail.rule != null || mail.lacks.length > 0;
}

export function Why({ mail }: { mail: Mail }) {
  const { t } = useTranslation('recognition');
  const why = summed(mail.why).sort((one, other) => Math.abs(other.weight) - Math.abs(one.weight));
  const points = (sum: number) => sum.toFixed(1);
  return (
    <div className={classes.evidence}>
      {mail.lacks.length > 0 && (
        <ul aria-label={t('lacksTitle')}>
          {mail.lacks.map((code) => (
            <Lack key={code} code={code} />
          ))}
        </ul>
      )}
      {(mail.rule != null || why.length > 0) && (
        <ul aria-label={t('firedTitle')}>
          {mail.rule != null && <OwnRule id={mail.rule} />}
          {why.map((fired) => (
            <FiredLine key={`${fired.rule} ${fired.place}`} fired={fired} />
          ))}
        </ul>
      )}
      {mail.points != null && mail.points.got < mail.points.needed && (
        <Text size="xs" c="dimmed">
          {t('points', { got: points(mail.points.got), needed: points(mail.points.needed) })}
        </Text>
      )}
    </div>
  );
}

/** A rule that fired twice in one place, in the title and in the text, is one reason. */
function summed(all: readonly Fired[]): Fired[] {
  const by = new Map<string, Fired>();
  for (const fired of all) {
    const key = `${fired.rule} ${fired.place}`;
    const before = by.get(key);
    by.set(key, before === undefined ? fired : { ...before, weight: before.weight + fired.weight });
  }
  return [...by.values()];
}

function Lack({ code }: { code: string }) {
  const { t, i18n } = useTranslation('recognition');
  const key = `lack.${code}`;
  return <li>{i18n.exists(key, { ns: 'recognition' }) ? t(key) : code}</li>;
}

export function RuleText({ rule }: { rule: Rule }) {
  const { t } = useTranslation('recognition');
  return (
    <>
      {WHEN.filter((one) => rule.when[one] != null).map((one) => (
        <div key={one}>
          <Text span size="sm" c="dimmed">
            {t(`when.${one}`)}:
          </Text>{' '}
          {rule.when[one]}
        </div>
      ))}
    </>
  );
}

function OwnRule({ id }: { id: string }) {
  const { t } = useTranslation('recognition');
  const { data } = useQuery(rulesQuery);
  const rule = data?.own.find((one) => one.id === id);
  return (
    <li>
      <Anchor size="sm" renderRoot={(props) => <Link {...props} to="." search={{ tab: 'rules' }} />}>
        {t('ownRule')}
      </Anchor>
      {rule !== undefined && <RuleText rule={rule} />}
    </li>
  );
}

function FiredLine({ fired }: { fired: Fired }) {
  const { t, i18n } = useTranslation('recognition');
  const { data } = useQuery(rulesQuery);
  const phrases = data?.bundled.find((one) => one.id === fired.rule)?.phrases.slice(0, WORDS_MAX);
  const place = `place.${fired.place}`;
  const read = READ.find(([pattern]) => pattern.test(fired.rule))?.[1] ?? fired.rule;
  const known = `fired.${read}`;
  const byHand = fired.rule.startsWith('told:');
  const what =
    phrases !== undefined && phrases.length > 0
      ? t('words', { words: phrases.join(', ') })
      : i18n.exists(known, { ns: 'recognition' })
        ? t(known)
        : fired.rule;
  return (
    <li>
      <span>{i18n.exists(place, { ns: 'recognition' }) ? t(place) : fired.place}: </span>
      <span className="breaks">{byHand ? t('byHand') : what}</span>
      <Text span size="xs" c={fired.weight < 0 ? 'var(--relance-late)' : 'dimmed'} className="numbers">
        {` ${fired.weight > 0 ? '+' : '−'}${Math.abs(fired.weight).toFixed(1)}`}
      </Text>
    </li>
  );
}
