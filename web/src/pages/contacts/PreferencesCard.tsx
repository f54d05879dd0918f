import {
  Anchor,
  Button,
  Checkbox,
  Group,
  NumberInput,
  Select,
  Skeleton,
  Stack,
  Text,
  TextInput,
  Title,
} from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../shared/format';
import { ProblemNote } from '../../shared/ProblemNote';
import { tellDone } from '../../shared/tell';
import { useMay } from '../../shell/useSession';
import { LANGUAGE_NAMES, LANGUAGES } from '../../words';
import { preferencesQuery, putPreferences, type Wishes } from './api';
import classes from './Contact.module.css';

const MOST_MAX = 31;
const EVERY_DAY = 'mon-sun';
/** Days that are offered; others that were told stay as they are. */
const DAYS = [EVERY_DAY, 'mon-fri', 'bd', 'sat,sun'] as const;

/** How often, in which language and about what somebody wants to hear of us. */
export function PreferencesCard({ id }: { id: string }) {
  const { t } = useTranslation('contacts');
  const may = useMay();
  const query = useQuery(preferencesQuery(id));
  const [editing, setEditing] = useState(false);
  return (
    <section className={classes.card} aria-label={t('preferences')}>
      <Group justify="space-between" mb="sm">
        <Title order={2}>{t('preferences')}</Title>
        {may('contacts') && query.data !== undefined && !editing && (
          <Button size="xs" variant="light" onClick={() => setEditing(true)}>
            {t('edit')}
          </Button>
        )}
      </Group>
      {query.isPending && <Skeleton height={140} />}
      {query.isError && <ProblemNote error={query.error} retry={() => query.refetch()} />}
      {query.data !== undefined &&
        (editing ? (
          <Form id={id} wishes={query.data.preferences} close={() => setEditing(false)} />
        ) : (
          <>
            <Shown wishes={query.data.preferences} />
            <Anchor
              size="sm"
              href={query.data.link}
              target="_blank"
              rel="noreferrer"
              mt="md"
              display="inline-block"
            >
              {t('ownPage')}
            </Anchor>
          </>
        ))}
    </section>
  );
}

function Shown({ wishes }: { wishes: Wishes }) {
  const { t } = useTranslation('contacts');
  const format = useFormat();
  const wanted = (all: Record<string, boolean>, on: boolean, name: (one: string) => string) =>
    Object.entries(all)
      .filter(([, is]) => is === on)
      .map(([one]) => name(one))
      .join(', ');
  const channel = (one: string) => t(`channel.${one}`);
  const rows: [string, string][] = [
    [
      t('wants'),
      [wanted(wishes.channels, true, channel), wanted(wishes.topics, true, String)]
        .filter(Boolean)
        .join(' · '),
    ],
    [
      t('wantsNot'),
      [wanted(wishes.channels, false, channel), wanted(wishes.topics, false, String)]
        .filter(Boolean)
        .join(' · '),
    ],
    [
      t('frequency'),
      !wishes.frequency
        ? t('frequencyAny')
        : t(`frequencyPer.${wishes.frequency.per}`, { count: wishes.frequency.most }),
    ],
    [t('hours'), windowWords(wishes)],
    [t('pausedUntil'), typeof wishes.paused_until !== 'string' ? '' : format.moment(wishes.paused_until)],
    [t('readsIn'), LANGUAGE_NAMES[wishes.language as keyof typeof LANGUAGE_NAMES] ?? wishes.language ?? ''],
  ];
  return (
    <Stack gap={6}>
      {rows
        .filter(([, value]) => value !== '')
        .map(([name, value]) => (
          <div key={name} className={classes.line} style={{ borderBottom: 0, padding: '2px 0' }}>
            <Text size="sm" c="dimmed">
              {name}
            </Text>
            <Text size="sm" className="breaks">
              {value}
            </Text>
          </div>
        ))}
    </Stack>
  );
}

/** Days and hours as they are written in a journey: `mon-fri 09:00-18:00`. */
function windowWords(wishes: Wishes): string {
  const { days, hours } = windowOf(wishes);
  return [days, hours].filter((part) => part !== undefined).join(' ');
}

/** The window is an object of any shape to the document of the API. */
function windowOf(wishes: Wishes): { days?: string; hours?: string } {
  const { days, hours } = wishes.window ?? {};
  return {
    ...(typeof days === 'string' ? { days } : {}),
    ...(typeof hours === 'string' ? { hours } : {}),
  };
}

function Form({ id, wishes, close }: { id: string; wishes: Wishes; close: () => void }) {
  const { t } = useTranslation('contacts');
  const queries = useQueryClient();
  const [channels, setChannels] = useState(wishes.channels);
  const [topics, setTopics] = useState(wishes.topics);
  const [most, setMost] = useState<number | string>(wishes.frequency?.most ?? '');
  const [per, setPer] = useState(wishes.frequency?.per ?? 'week');
  const [language, setLanguage] = useState(wishes.language ?? '');
  const [days, setDays] = useState(windowOf(wishes).days ?? EVERY_DAY);
  const [hours, setHours] = useState(windowOf(wishes).hours ?? '');
  const [paused, setPaused] = useState(wishes.paused_until?.slice(0, 10) ?? '');
  const [proof, setProof] = useState('');
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const told: Record<string, unknown> = {
        ...changed('channels', wishes.channels, channels),
        ...changed('topics', wishes.topics, topics),
        frequency: most === '' ? null : { most: Number(most), per },
        window: windowTold(days, hours.trim()),
        paused_until: paused === '' ? null : pausedUntil(paused, wishes.paused_until),
        ...(language === '' ? {} : { language }),
        ...(proof.trim() === '' ? {} : { proof: { text: proof.trim() } }),
      };
      const shown = await putPreferences(id, told);
      queries.setQueryData(preferencesQuery(id).queryKey, shown);
      queries.invalidateQueries({ queryKey: ['contacts'] });
      tellDone(t('preferencesSaved'));
      close();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <Stack gap="sm">
        <Checks label={t('channels')} all={channels} set={setChannels} name={(one) => t(`channel.${one}`)} />
        <Checks label={t('topics')} all={topics} set={setTopics} name={String} />
        <Group align="flex-end" gap="xs">
          <NumberInput
            label={t('frequency')}
            placeholder={t('frequencyAny')}
            min={1}
            max={MOST_MAX}
            w={150}
            value={most}
            onChange={setMost}
          />
          <Select
            aria-label={t('frequencyPerLabel')}
            w={140}
            allowDeselect={false}
            data={[
              { value: 'week', label: t('perWeek') },
              { value: 'month', label: t('perMonth') },
            ]}
            value={per}
            onChange={(value) => setPer(value ?? per)}
          />
        </Group>
        <Group align="flex-end" gap="xs">
          <Select
            label={t('days')}
            w={190}
            allowDeselect={false}
            data={[...new Set([...DAYS, days])].map((one) => ({
              value: one,
              label: DAYS.some((known) => known === one) ? t(`daysOf.${one}`) : one,
            }))}
            value={days}
            onChange={(value) => setDays(value ?? days)}
          />
          <TextInput
            label={t('hours')}
            placeholder="09:00-18:00"
            w={150}
            value={hours}
            onChange={(event) => setHours(event.currentTarget.value)}
          />
        </Group>
        <TextInput
          type="date"
          label={t('pausedUntil')}
          maw={220}
          value={paused}
          onChange={(event) => setPaused(event.currentTarget.value)}
        />
        <Select
          label={t('readsIn')}
          maw={220}
          data={LANGUAGES.map((one) => ({ value: one, label: LANGUAGE_NAMES[one] }))}
          value={language || null}
          onChange={(value) => setLanguage(value ?? language)}
        />
        <TextInput
          label={t('proofText')}
          description={t('proofHint')}
          value={proof}
          onChange={(event) => setProof(event.currentTarget.value)}
        />
        {error !== undefined && <ProblemNote error={error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t('cancel')}
          </Button>
          <Button type="submit" loading={isBusy}>
            {t('save')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** Of a set of choices those that were changed; nothing when none was. */
function changed(name: string, before: Record<string, boolean>, now: Record<string, boolean>) {
  const told = Object.entries(now).filter(([one, on]) => before[one] !== on);
  return told.length === 0 ? {} : { [name]: Object.fromEntries(told) };
}

/** `null` takes the window away. */
function windowTold(days: string, hours: string): { days?: string; hours?: string } | null {
  const told = { ...(days === EVERY_DAY ? {} : { days }), ...(hours === '' ? {} : { hours }) };
  return Object.keys(told).length === 0 ? null : told;
}

/** A day that was not touched keeps its hour. */
function pausedUntil(day: string, before: string | null | undefined): string {
  return before?.slice(0, 10) === day ? before : `${day}T00:00:00Z`;
}

type ChecksProps = {
  label: string;
  all: Record<string, boolean>;
  set: (all: Record<string, boolean>) => void;
  name: (one: string) => string;
};

function Checks({ label, all, set, name }: ChecksProps) {
  const keys = Object.keys(all);
  return keys.length === 0 ? null : (
    <Checkbox.Group
      label={label}
      value={keys.filter((one) => all[one])}
      onChange={(chosen) => set(Object.fromEntries(keys.map((one) => [one, chosen.includes(one)])))}
    >
      <Group gap="sm" mt={4}>
        {keys.map((one) => (
          <Checkbox key={one} size="sm" value={one} label={name(one)} className="breaks" />
        ))}
      </Group>
    </Checkbox.Group>
  );
}
