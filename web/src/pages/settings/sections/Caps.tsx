import { ActionIcon, Button, Group, NumberInput, Select, Stack, Text } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { language } from '../../../words';
import { sectionQuery } from '../edit/calls';
import { EditSection, type FormProps } from '../edit/EditSection';
import type { FieldProblem } from '../edit/problems';
import { asList, asText } from '../parts/values';
import classes from './sections.module.css';
import { inWords } from './topics';
import { asNumber, CHANNELS } from './values';

/** Nobody sends more, and the server counts no further. */
const MOST_MAX = 1_000;
const DAYS_MAX = 365;
const PERIODS = ['day', 'week', 'month'] as const;
type Per = (typeof PERIODS)[number] | 'days';

/** `key` tells rows apart while they are edited. */
type Cap = { key: number; channel: string; topic: string; per: Per; days: number | ''; most: number | '' };
type CapsForm = { list: Cap[] };

const readCaps = (value: unknown): CapsForm => ({
  list: asList(value).map((one, key) => ({
    key,
    channel: asText(one.channel),
    topic: asText(one.topic),
    per: PERIODS.find((per) => per === one.per) ?? 'days',
    days: asNumber(one.days),
    most: asNumber(one.most),
  })),
});

const writeCaps = ({ list }: CapsForm) =>
  list.map(({ channel, topic, per, days, most }) => ({
    ...(channel === '' ? {} : { channel }),
    ...(topic === '' ? {} : { topic }),
    ...(per === 'days' ? { days } : { per }),
    most,
  }));

type Words = (key: string, values?: Record<string, unknown>) => string;

function checkCaps({ list }: CapsForm, t: Words): FieldProblem[] {
  return list.flatMap((cap, place) => [
    ...(cap.most === '' ? [{ field: `${place}.most`, message: t('edit.number') }] : []),
    ...(cap.per === 'days' && (cap.days === '' || cap.days < 1)
      ? [{ field: `${place}.days`, message: t('edit.number') }]
      : []),
  ]);
}

/** How many messages are enough. */
export function Caps() {
  const { t } = useTranslation('settings');
  const topics = useQuery(sectionQuery('topics'));
  const names = new Map(
    asList(topics.data?.value).map((one) => [
      asText(one.id),
      inWords(one.name, language()) || asText(one.id),
    ]),
  );
  return (
    <EditSection<CapsForm>
      section="caps"
      title={t('caps.title')}
      text={t('caps.text')}
      shape={{ read: readCaps, write: writeCaps, check: (form) => checkCaps(form, t) }}
      read={(form) => <Read form={form} names={names} />}
      edit={(props) => <Edit {...props} names={names} />}
      fields={Array.from({ length: MOST_MAX }, (_, place) => String(place))}
    />
  );
}

type Names = Map<string, string>;

function Read({ form, names }: { form: CapsForm; names: Names }) {
  const { t } = useTranslation('settings');
  if (form.list.length === 0) {
    return <Text size="sm">{t('caps.none')}</Text>;
  }
  return (
    <ul className={classes.entries}>
      {form.list.map((cap) => (
        <li key={cap.key} className={classes.entry} style={{ paddingBlock: 8 }}>
          <Group justify="space-between" gap="sm">
            <Text size="sm" fw={600} className="breaks">
              {cap.channel === ''
                ? t('caps.all')
                : t(`channel.${cap.channel}`, { defaultValue: cap.channel })}
              {cap.topic !== '' && (
                <Text span size="sm" c="dimmed" fw={400}>
                  {' · '}
                  {names.get(cap.topic) ?? cap.topic}
                </Text>
              )}
            </Text>
            <Text size="sm">
              {cap.per === 'days'
                ? t('caps.days', { count: Number(cap.days), most: cap.most })
                : t(`caps.per.${cap.per}`, { most: cap.most })}
            </Text>
          </Group>
        </li>
      ))}
    </ul>
  );
}

function Edit({ form, set, wrong, names }: FormProps<CapsForm> & { names: Names }) {
  const { t } = useTranslation('settings');
  const { list } = form;
  const change = (place: number, patch: Partial<Cap>) =>
    set({ list: list.map((one, at) => (at === place ? { ...one, ...patch } : one)) });
  const add = () => {
    const key = Math.max(-1, ...list.map((one) => one.key)) + 1;
    set({ list: [...list, { key, channel: '', topic: '', per: 'week', days: '', most: 3 }] });
  };
  return (
    <Stack gap="sm">
      {list.length > 0 && (
        <div className={`${classes.cap} ${classes.capHead}`} aria-hidden>
          <span>{t('caps.channel')}</span>
          <span>{t('caps.topic')}</span>
          <span>{t('caps.period')}</span>
          <span>{t('caps.most')}</span>
        </div>
      )}
      {list.map((cap, place) => {
        const of = t('caps.row', { number: place + 1 });
        const known =
          cap.topic === '' || names.has(cap.topic) ? [] : [{ value: cap.topic, label: cap.topic }];
        return (
          // biome-ignore lint/a11y/useSemanticElements: a row of fields
          <div key={cap.key} className={classes.cap} role="group" aria-label={of}>
            <Select
              size="xs"
              aria-label={t('caps.channel')}
              data={[
                { value: '', label: t('caps.all') },
                ...CHANNELS.map((one) => ({ value: one, label: t(`channel.${one}`) })),
              ]}
              value={cap.channel}
              allowDeselect={false}
              onChange={(channel) => change(place, { channel: channel ?? '' })}
              error={wrong(`${place}.channel`)}
            />
            <Select
              size="xs"
              aria-label={t('caps.topic')}
              data={[
                { value: '', label: t('caps.anyTopic') },
                ...[...names].map(([value, label]) => ({ value, label })),
                ...known,
              ]}
              value={cap.topic}
              allowDeselect={false}
              onChange={(topic) => change(place, { topic: topic ?? '' })}
              error={wrong(`${place}.topic`)}
            />
            <Stack gap={4}>
              <Select
                size="xs"
                aria-label={t('caps.period')}
                data={[
                  ...PERIODS.map((one) => ({ value: one, label: t(`caps.perIs.${one}`) })),
                  { value: 'days', label: t('caps.perIs.days') },
                ]}
                value={cap.per}
                allowDeselect={false}
                onChange={(per) =>
                  change(place, { per: (per ?? 'week') as Per, days: per === 'days' ? 7 : '' })
                }
                error={wrong(`${place}.per`)}
              />
              {cap.per === 'days' && (
                <NumberInput
                  size="xs"
                  min={1}
                  max={DAYS_MAX}
                  allowDecimal={false}
                  aria-label={t('caps.perIs.days')}
                  value={cap.days}
                  onChange={(days) => change(place, { days: asNumber(days) })}
                  error={wrong(`${place}.days`)}
                />
              )}
            </Stack>
            <NumberInput
              size="xs"
              min={0}
              max={MOST_MAX}
              allowDecimal={false}
              aria-label={t('caps.most')}
              value={cap.most}
              onChange={(most) => change(place, { most: asNumber(most) })}
              error={wrong(`${place}.most`) ?? wrong(String(place))}
            />
            <ActionIcon
              variant="subtle"
              color="gray"
              size={30}
              onClick={() => set({ list: list.filter((_, at) => at !== place) })}
              aria-label={`${t('edit.remove')}: ${of}`}
            >
              <IconX size={15} aria-hidden />
            </ActionIcon>
          </div>
        );
      })}
      {list.length === 0 && (
        <Text size="sm" c="dimmed">
          {t('caps.none')}
        </Text>
      )}
      <Group>
        <Button
          variant="subtle"
          size="compact-sm"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={add}
        >
          {t('caps.add')}
        </Button>
      </Group>
    </Stack>
  );
}
