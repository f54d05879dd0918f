import { Code, Skeleton, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ProblemNote } from '../../../shared/ProblemNote';
import { isLanguage, LANGUAGE_NAMES, language } from '../../../words';
import { type Fields, type InForce, inForceQuery } from '../calls';
import { Section } from '../Section';
import classes from '../Settings.module.css';
import { asList, asText, asTexts, toml } from './values';

/** What is in force for all, and the line of the configuration that says so. */
export function Workspace() {
  const { data, error, isError, refetch } = useQuery(inForceQuery);
  if (isError && data === undefined) {
    return <ProblemNote error={error} retry={() => refetch()} />;
  }
  if (data === undefined) {
    return <Skeleton height={520} />;
  }
  return (
    <Stack gap="md">
      <General inForce={data} />
      <QuietHours periods={asList(data.configuration.quiet_hours)} />
      <Caps caps={asList(data.configuration.caps)} />
      <Topics topics={asList(data.configuration.topics)} consent={data.configuration.consent} />
    </Stack>
  );
}

/** Keys of `[workspace]` in the order in which they are shown. */
const KEYS = [
  'name',
  'zone',
  'calendar',
  'language',
  'country',
  'public_url',
  'delivery',
  'address',
  'from_name',
  'internal_domains',
  'approval_expiry',
  'holdout',
  'opt_in_topics',
  'service_asks',
] as const;

function General({ inForce }: { inForce: InForce }) {
  const { t } = useTranslation('settings');
  const { workspace, configuration, file, version } = inForce;
  return (
    <Section title={t('part.workspace')} text={t('workspace.text', { file })}>
      <dl className={classes.facts}>
        {KEYS.map((key) => (
          <Fact
            key={key}
            name={t(`workspace.${key}`)}
            value={wordsOf(key, workspace[key], t)}
            line={lineOf(key, workspace[key])}
          />
        ))}
        <Fact name={t('workspace.store')} value={asText(configuration.store)} />
        <Fact name={t('workspace.version')} value={version} />
      </dl>
    </Section>
  );
}

type Words = (key: string, values?: Record<string, unknown>) => string;

/** Values that are words of ours are told in the reader's language. */
function wordsOf(key: (typeof KEYS)[number], value: unknown, t: Words): string {
  const texts = Array.isArray(value) ? asTexts(value) : [asText(value)];
  const words = texts.map((text) => {
    switch (key) {
      case 'language':
        return isLanguage(text) ? LANGUAGE_NAMES[text] : text;
      case 'calendar':
      case 'delivery':
      case 'service_asks':
        return t(`workspace.${key}Is.${text}`, { defaultValue: text });
      default:
        return text;
    }
  });
  return words.join(', ');
}

/** The line of the file; of what is not set there is none. */
function lineOf(key: string, value: unknown): string | undefined {
  const none = value === null || value === undefined || (Array.isArray(value) && value.length === 0);
  return none ? undefined : `${key} = ${toml(value)}`;
}

function Fact({ name, value, line }: { name: string; value: ReactNode; line?: string | undefined }) {
  const { t } = useTranslation('settings');
  return (
    <>
      <dt>{name}</dt>
      <dd>
        <Stack gap={3} align="flex-start">
          {value === '' ? (
            <Text size="sm" c="dimmed">
              {t('workspace.unset')}
            </Text>
          ) : (
            <Text size="sm" className="breaks" component="div" lineClamp={4}>
              {value}
            </Text>
          )}
          {line !== undefined && <Code className="breaks">{line}</Code>}
        </Stack>
      </dd>
    </>
  );
}

function QuietHours({ periods }: { periods: Fields[] }) {
  const { t } = useTranslation('settings');
  return (
    <Section title={t('quiet.title')} text={t('quiet.text')}>
      {periods.length === 0 ? (
        <Missing text={t('quiet.none')} line={'[quiet_hours]\nemail = "21:00-09:00"'} />
      ) : (
        <dl className={classes.facts}>
          {periods.map((one) => {
            const channel = asText(one.channel);
            const hours = asList(one.periods);
            return (
              <Fact
                key={channel}
                name={t(`channel.${channel}`, { defaultValue: channel })}
                value={hours
                  .map((period) => [asText(period.days), asText(period.hours)].filter(Boolean).join(' '))
                  .join(', ')}
                line={quietLine(channel, hours)}
              />
            );
          })}
        </dl>
      )}
    </Section>
  );
}

function quietLine(channel: string, periods: Fields[]): string {
  const [first] = periods;
  if (periods.length === 1 && first !== undefined && asText(first.days) === '') {
    return `${channel} = ${toml(first.hours)}`;
  }
  const all = periods.map(
    (one) => `{ ${one.days == null ? '' : `days = ${toml(one.days)}, `}hours = ${toml(one.hours)} }`,
  );
  return `${channel} = [${all.join(', ')}]`;
}

function Caps({ caps }: { caps: Fields[] }) {
  const { t } = useTranslation('settings');
  return (
    <Section title={t('caps.title')} text={t('caps.text')}>
      {caps.length === 0 ? (
        <Missing text={t('caps.none')} line={'[[cap]]\nchannel = "email"\ndays = 7\nmost = 3'} />
      ) : (
        <dl className={classes.facts}>
          {caps.map((cap) => (
            <Fact
              key={JSON.stringify(cap)}
              name={capOf(cap, t)}
              value={
                cap.per == null
                  ? t('caps.days', { count: Number(cap.days), most: asText(cap.most) })
                  : t(`caps.per.${asText(cap.per)}`, {
                      most: asText(cap.most),
                      defaultValue: asText(cap.most),
                    })
              }
              line={['channel', 'topic', 'days', 'per', 'most']
                .filter((key) => cap[key] != null)
                .map((key) => `${key} = ${toml(cap[key])}`)
                .join(', ')}
            />
          ))}
        </dl>
      )}
    </Section>
  );
}

function capOf(cap: Fields, t: Words): string {
  const channel =
    cap.channel == null ? t('caps.all') : t(`channel.${asText(cap.channel)}`, { defaultValue: cap.channel });
  return cap.topic == null ? channel : `${channel}, ${asText(cap.topic)}`;
}

function Topics({ topics, consent }: { topics: Fields[]; consent: unknown }) {
  const { t } = useTranslation('settings');
  const confirmed = new Set(
    typeof consent === 'object' && consent !== null ? asTexts((consent as Fields).double_opt_in) : [],
  );
  return (
    <Section title={t('topics.title')} text={t('topics.text')}>
      {topics.length === 0 ? (
        <Missing
          text={t('topics.none')}
          line={'[[topic]]\nid = "news"\nname = { en = "News", ru = "Новости", ja = "ニュース" }'}
        />
      ) : (
        <dl className={classes.facts}>
          {topics.map((topic) => {
            const id = asText(topic.id);
            return (
              <Fact
                key={id}
                name={inWords(topic.name) || id}
                value={
                  [inWords(topic.description), confirmed.has(id) ? t('topics.confirmed') : '']
                    .filter(Boolean)
                    .join(' · ') || id
                }
                line={`id = ${toml(id)}`}
              />
            );
          })}
        </dl>
      )}
    </Section>
  );
}

/** A text that is given in several languages. */
function inWords(texts: unknown): string {
  if (typeof texts !== 'object' || texts === null) {
    return '';
  }
  const all = texts as Record<string, unknown>;
  return asText(all[language()] ?? all.en ?? Object.values(all)[0]);
}

/** Nothing is set: what that means, and how it is set. */
function Missing({ text, line }: { text: string; line: string }) {
  return (
    <Stack gap="xs">
      <Text size="sm">{text}</Text>
      <Code block className="breaks" style={{ whiteSpace: 'pre-wrap' }}>
        {line}
      </Code>
    </Stack>
  );
}
