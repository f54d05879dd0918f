import { Button, CloseButton, Group, Paper, Stack, Text } from '@mantine/core';
import { useRouter } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answer, api } from '../../api/client';
import classes from './Tour.module.css';

const STOPS = ['welcome', 'approve', 'why', 'journey'] as const;

/** Where a stop is; of the second that is whoever did not get a message last. */
async function placeOf(stop: (typeof STOPS)[number]): Promise<string> {
  switch (stop) {
    case 'welcome':
      return '/';
    case 'approve':
      return '/approvals';
    case 'why': {
      for (const state of ['withdrawn', 'dropped']) {
        const found = await answer(
          api.GET('/api/v1/touchpoints', { params: { query: { state, limit: 1 } } }),
        ).catch(() => undefined);
        const contact = found?.items[0]?.contact;
        if (contact !== undefined) {
          return `/contacts/${encodeURIComponent(contact)}`;
        }
      }
      return '/messages?state=held';
    }
    case 'journey':
      return '/journeys';
  }
}

/** The three main jobs, one after the other, beside the pages where they are done. */
export function Tour({ close }: { close: () => void }) {
  const { t } = useTranslation('overview');
  const router = useRouter();
  const [at, setAt] = useState(0);
  const [busy, setBusy] = useState(false);
  const stop = STOPS[at] ?? 'welcome';
  const title = useRef<HTMLParagraphElement>(null);
  const moved = useRef(false);
  useEffect(() => {
    // Whoever asked for the next stop hears of it; at the first the page keeps the focus.
    if (moved.current && at > 0) {
      title.current?.focus();
    }
  }, [at]);
  const go = async (to: number) => {
    const next = STOPS[to];
    if (next === undefined) {
      close();
      return;
    }
    setBusy(true);
    moved.current = true;
    router.history.push(await placeOf(next));
    setBusy(false);
    setAt(to);
  };
  return (
    <Paper className={classes.card} shadow="lg" radius="md" p="md" role="region" aria-label={t('demo.tour')}>
      <Stack gap="xs">
        <Group justify="space-between" wrap="nowrap" align="flex-start">
          <Text fw={650} ref={title} tabIndex={-1} className={classes.title}>
            {t(`tour.${stop}`)}
          </Text>
          <CloseButton onClick={close} aria-label={t('tour.end')} />
        </Group>
        <Text size="sm">{t(`tour.${stop}Text`)}</Text>
        <Group justify="space-between" mt={4}>
          <Text size="xs" c="dimmed" className="numbers">
            {at === 0 ? t('tour.length') : t('tour.at', { at, of: STOPS.length - 1 })}
          </Text>
          <Group gap="xs">
            {at > 0 && (
              <Button size="xs" variant="default" onClick={() => go(at - 1)}>
                {t('tour.back')}
              </Button>
            )}
            <Button size="xs" loading={busy} onClick={() => go(at + 1)}>
              {at === 0 ? t('tour.begin') : at === STOPS.length - 1 ? t('tour.finish') : t('tour.next')}
            </Button>
          </Group>
        </Group>
      </Stack>
    </Paper>
  );
}
