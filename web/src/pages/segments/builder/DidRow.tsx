import { Box, Button, Group, Text } from '@mantine/core';
import { IconArrowRight, IconFilter, IconX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { changeDeed, make } from '../change';
import type { Deed, Times } from '../condition';
import classes from './builder.module.css';
import { useBuilding } from './context';
import { GroupEditor } from './GroupEditor';
import { Choice, Count, Span, Typed } from './inputs';

type HowOften = 'once' | 'atLeast' | 'atMost' | 'exactly' | 'between';

function howOften(times: Times | undefined): HowOften {
  const { atLeast, atMost } = times ?? {};
  if (atMost === undefined) {
    return atLeast === undefined || atLeast === 1 ? 'once' : 'atLeast';
  }
  return atLeast === undefined || atLeast === 0 ? 'atMost' : atLeast === atMost ? 'exactly' : 'between';
}

function timesOf(how: HowOften, before: Times | undefined): Times | undefined {
  const least = Math.max(1, before?.atLeast ?? before?.atMost ?? 2);
  const most = before?.atMost ?? least;
  switch (how) {
    case 'once':
      return undefined;
    case 'atLeast':
      return { atLeast: Math.max(2, least) };
    case 'atMost':
      return { atMost: most };
    case 'exactly':
      return { atLeast: least, atMost: least };
    case 'between':
      return { atLeast: least, atMost: Math.max(most, least + 1) };
  }
}

/** What was done: how often, since when, of which sort, and what followed. */
export function DidRow({ deed, isThen = false }: { deed: Deed; isThen?: boolean }) {
  const { t } = useTranslation('segments');
  const { edit, events } = useBuilding();
  const how = howOften(deed.times);
  const change = (patch: Parameters<typeof changeDeed>[2]) =>
    edit((document) => changeDeed(document, deed, patch));
  const { atLeast = 1, atMost = 1 } = deed.times ?? {};
  return (
    <>
      {isThen && <Text size="xs">{t('row.then')}</Text>}
      <Typed
        label={t('row.event')}
        value={deed.event}
        data={events}
        width={180}
        onChange={(event) => change({ event })}
      />
      <Choice<HowOften>
        label={t('row.often')}
        value={how}
        data={(['once', 'atLeast', 'atMost', 'exactly', 'between'] as const).map((one) => ({
          value: one,
          label: t(`often.${one}`),
        }))}
        onChange={(next) => change({ times: timesOf(next, deed.times) })}
      />
      {(how === 'atLeast' || how === 'exactly' || how === 'between') && (
        <Count
          label={t('row.times')}
          value={atLeast}
          onChange={(count) =>
            change({
              times:
                how === 'exactly' ? { atLeast: count, atMost: count } : { ...deed.times, atLeast: count },
            })
          }
        />
      )}
      {how === 'between' && <Text size="xs">{t('row.to')}</Text>}
      {(how === 'atMost' || how === 'between') && (
        <Count
          label={t('row.timesMost')}
          value={atMost}
          onChange={(count) => change({ times: { ...deed.times, atMost: count } })}
        />
      )}
      {how !== 'once' && (
        <Text size="xs">{t('row.timesWord', { count: how === 'atLeast' ? atLeast : atMost })}</Text>
      )}
      <Choice<'ever' | 'within'>
        label={t('row.since')}
        value={deed.within === undefined ? 'ever' : 'within'}
        data={[
          { value: 'ever', label: t('since.ever') },
          { value: 'within', label: t('since.within') },
        ]}
        onChange={(since) => change({ within: since === 'ever' ? undefined : '30d' })}
      />
      {deed.within !== undefined && (
        <Span label={t('row.within')} value={deed.within} onChange={(within) => change({ within })} />
      )}
      <More deed={deed} />
      {deed.where !== undefined && (
        <Box className={classes.nested}>
          <Text size="xs" c="dimmed" mb={4}>
            {t('row.whereEvent')}
          </Text>
          <GroupEditor group={deed.where} scope="event" />
        </Box>
      )}
      {deed.then !== undefined && (
        <Group gap={6} className={classes.nested}>
          <DidRow deed={deed.then} isThen />
        </Group>
      )}
    </>
  );
}

function More({ deed }: { deed: Deed }) {
  const { t } = useTranslation('segments');
  const { edit, isReadOnly } = useBuilding();
  if (isReadOnly) {
    return null;
  }
  return (
    <Group gap={2}>
      {deed.where === undefined && (
        <Button
          size="compact-xs"
          variant="subtle"
          color="gray"
          leftSection={<IconFilter size={12} />}
          onClick={() =>
            edit((document) =>
              deed.node.set('where', make(document, [{ [t('row.aField')]: { exists: true } }])),
            )
          }
        >
          {t('row.addWhere')}
        </Button>
      )}
      {deed.then === undefined ? (
        <Button
          size="compact-xs"
          variant="subtle"
          color="gray"
          leftSection={<IconArrowRight size={12} />}
          onClick={() =>
            edit((document) =>
              deed.node.set('then', make(document, { did: 'Order Completed', within: '7d' })),
            )
          }
        >
          {t('row.addThen')}
        </Button>
      ) : (
        <Button
          size="compact-xs"
          variant="subtle"
          color="gray"
          leftSection={<IconX size={12} />}
          onClick={() => edit(() => deed.node.delete('then'))}
        >
          {t('row.removeThen')}
        </Button>
      )}
    </Group>
  );
}
