import { ActionIcon, Anchor, Badge, Group, Select, Text } from '@mantine/core';
import { IconMap2, IconPlayerPauseFilled, IconPlayerPlayFilled, IconSend } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answer, api } from '../api/client';
import { Tour } from '../pages/overview/Tour';
import { useFormat } from '../shared/format';
import { tellFailure } from '../shared/tell';
import { ASKED_MS, type Demo, demoQuery } from './DemoBar';
import classes from './DemoBar.module.css';

/** How often the clock is drawn between two answers. */
const DRAWN_MS = 250;
/** Speeds to choose from; the last is as fast as it goes. */
const SPEEDS = [60, 3_600, 34_560, 0];
/** Remembers that the tour was seen. */
const TOUR_KEPT = 'relance-tour';

/** The wheel of the demonstration. */
export function DemoControls({ demo }: { demo: Demo }) {
  const { t } = useTranslation('overview');
  const format = useFormat();
  const queries = useQueryClient();
  const now = useVirtualNow(demo);
  const [touring, setTouring] = useState(
    // Whoever comes by a link to one page came for that page.
    () => localStorage.getItem(TOUR_KEPT) === null && window.location.pathname === '/',
  );
  const turn = useMutation({
    mutationFn: (body: { speed?: number; paused?: boolean }) => answer(api.PUT('/api/v1/demo', { body })),
    onSuccess: (answer) => queries.setQueryData(demoQuery.queryKey, answer),
    onError: tellFailure,
  });
  const speeds = [...new Set([demo.speed, ...SPEEDS])].sort((one, other) => pace(one) - pace(other));
  const begin = Date.parse(demo.begins_at);
  const share = Math.min(1, Math.max(0, (now - begin) / (Date.parse(demo.ends_at) - begin)));
  return (
    <section className={classes.bar} aria-label={t('demo.label')}>
      <Group gap="xs" wrap="nowrap" style={{ minWidth: 0 }}>
        <Badge variant="filled" style={{ flex: 'none' }}>
          {t('demo.label')}
        </Badge>
        <Text size="sm" truncate visibleFrom="lg">
          {demo.ended ? t('demo.ended') : t('demo.text')}
        </Text>
      </Group>
      <Group gap="sm" wrap="nowrap" className={classes.controls}>
        <Text size="sm" fw={600} className="numbers" style={{ whiteSpace: 'nowrap' }}>
          {format.moment(new Date(now).toISOString())}
        </Text>
        {!demo.ended && (
          <>
            <ActionIcon
              variant="default"
              onClick={() => turn.mutate({ paused: !demo.paused })}
              aria-label={demo.paused ? t('demo.go') : t('demo.pause')}
            >
              {demo.paused ? (
                <IconPlayerPlayFilled size={15} aria-hidden />
              ) : (
                <IconPlayerPauseFilled size={15} aria-hidden />
              )}
            </ActionIcon>
            <Select
              size="xs"
              w={176}
              style={{ flex: 'none' }}
              aria-label={t('demo.speed')}
              data={speeds.map((one) => ({ value: String(one), label: speedWords(one, t) }))}
              value={String(demo.speed)}
              onChange={(value) => value !== null && turn.mutate({ speed: Number(value), paused: false })}
              allowDeselect={false}
            />
          </>
        )}
        <Anchor component={Link} to="/messages" size="sm" className={classes.outbox}>
          <IconSend size={16} aria-hidden />
          <span>{t('demo.outbox')}</span>
        </Anchor>
        <Anchor
          component="button"
          type="button"
          size="sm"
          className={classes.link}
          onClick={() => setTouring(true)}
        >
          <IconMap2 size={16} aria-hidden />
          <span>{t('demo.tour')}</span>
        </Anchor>
      </Group>
      <div className={classes.progress} style={{ width: `${share * 100}%` }} aria-hidden />
      {touring && (
        <Tour
          close={() => {
            localStorage.setItem(TOUR_KEPT, 'seen');
            setTouring(false);
          }}
        />
      )}
    </section>
  );
}

/** The demonstration's moment, going on between two answers of the server. */
function useVirtualNow(demo: Demo): number {
  const told = Date.parse(demo.now);
  const [since, setSince] = useState({ told, at: Date.now() });
  const [, draw] = useState(0);
  if (since.told !== told) {
    setSince({ told, at: Date.now() });
  }
  const goes = !demo.paused && !demo.ended && demo.speed > 0;
  useEffect(() => {
    if (!goes) {
      return undefined;
    }
    const timer = setInterval(() => draw((count) => count + 1), DRAWN_MS);
    return () => clearInterval(timer);
  }, [goes]);
  const gone = goes ? Math.min(Date.now() - since.at, ASKED_MS) * demo.speed : 0;
  return Math.min(told + gone, Math.max(told, Date.parse(demo.ends_at)));
}

/** 0 is the fastest. */
function pace(speed: number): number {
  return speed === 0 ? Number.POSITIVE_INFINITY : speed;
}

const HOUR_S = 3_600;

function speedWords(speed: number, t: (key: string, values?: Record<string, unknown>) => string): string {
  if (speed === 0) {
    return t('demo.fastest');
  }
  return speed < HOUR_S
    ? t('demo.minutes', { count: Math.max(1, Math.round(speed / 60)) })
    : t('demo.hours', { count: Math.round(speed / HOUR_S) });
}
