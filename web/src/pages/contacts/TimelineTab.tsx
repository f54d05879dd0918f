import { Anchor, Badge, Button, Center, Chip, Group, Loader, Skeleton, Stack, Text } from '@mantine/core';
import {
  IconBook2,
  IconBriefcase,
  IconHeartHandshake,
  IconMail,
  IconPointFilled,
  type IconProps,
} from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ComponentType, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Empty } from '../../shared/DataList';
import { useFormat } from '../../shared/format';
import { ProblemNote } from '../../shared/ProblemNote';
import { textOf, useAddress } from '../../shared/useAddress';
import { MessageState } from '../documents/MessageState';
import { ReadMessage } from '../documents/ReadMessage';
import { loadTimeline, TIMELINE_KINDS, type TimelineItem } from './api';
import classes from './Contact.module.css';
import { LedgerWords, useReason } from './LedgerWords';

const ICONS: Record<string, ComponentType<IconProps>> = {
  event: IconPointFilled,
  message: IconMail,
  ledger: IconBook2,
  task: IconBriefcase,
  consent: IconHeartHandshake,
};

/** All that happened, newest first; more is read as the reader comes to its end. */
export function TimelineTab({ id }: { id: string }) {
  const { t } = useTranslation('contacts');
  const [address, change] = useAddress();
  const kinds = textOf(address.kinds);
  return (
    <Stack gap="sm">
      <Chip.Group
        multiple
        value={kinds?.split(',') ?? []}
        onChange={(next) => change({ kinds: next.length === 0 ? undefined : next.join(',') })}
      >
        <Group gap="xs">
          {TIMELINE_KINDS.map((kind) => (
            <Chip key={kind} value={kind} size="xs">
              {t(`kinds.${kind}`)}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
      <Timeline id={id} kinds={kinds} />
    </Stack>
  );
}

/** The list itself, for a page of its own or beside another. */
export function Timeline({ id, kinds }: { id: string; kinds?: string | undefined }) {
  const { t, i18n } = useTranslation('contacts');
  const query = useInfiniteQuery({
    queryKey: ['contacts', 'timeline', id, kinds, i18n.language],
    queryFn: ({ pageParam, signal }) => loadTimeline(id, kinds, i18n.language, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
  });
  const end = useRef<HTMLDivElement>(null);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  useEffect(() => {
    const target = end.current;
    if (target === null || !hasNextPage || isFetchingNextPage || !('IntersectionObserver' in window)) {
      return;
    }
    const watch = new IntersectionObserver(
      (seen) => {
        if (seen.some((one) => one.isIntersecting)) {
          fetchNextPage();
        }
      },
      { rootMargin: '400px' },
    );
    watch.observe(target);
    return () => watch.disconnect();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const items = query.data?.pages.flatMap((page) => page.items) ?? [];
  if (query.isPending) {
    return (
      <Stack gap={6} aria-hidden>
        {[0, 1, 2, 3, 4].map((one) => (
          <Skeleton key={one} height={44} />
        ))}
      </Stack>
    );
  }
  if (query.isError && query.data === undefined) {
    return <ProblemNote error={query.error} retry={() => query.refetch()} />;
  }
  if (items.length === 0 && !hasNextPage) {
    return <Empty title={t('timelineNone.title')} text={t('timelineNone.text')} />;
  }
  return (
    <>
      <ol className={classes.timeline} aria-label={t('tab.timeline')} aria-busy={query.isFetching}>
        {items.map((item, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: what happened has no name of its own
          <TimelineRow key={index} item={item} before={items[index - 1]} />
        ))}
      </ol>
      <div ref={end} />
      {isFetchingNextPage && (
        <Center p="sm">
          <Loader size="sm" aria-label={t('moreComes')} />
        </Center>
      )}
      {query.isFetchNextPageError && <ProblemNote error={query.error} retry={() => fetchNextPage()} />}
      {hasNextPage && !isFetchingNextPage && (
        <Center>
          <Button size="compact-sm" variant="subtle" onClick={() => fetchNextPage()}>
            {t('showMore')}
          </Button>
        </Center>
      )}
    </>
  );
}

type RowProps = { item: TimelineItem; before: TimelineItem | undefined };

function TimelineRow({ item, before }: RowProps) {
  const format = useFormat();
  const day = format.day(item.at);
  const isNewDay = before === undefined || format.day(before.at) !== day;
  const Icon = ICONS[item.kind] ?? IconPointFilled;
  return (
    <>
      {isNewDay && (
        <li className={classes.day}>
          <Text size="xs" fw={600} c="dimmed">
            {day}
          </Text>
        </li>
      )}
      <li className={classes.happened} data-kind={item.kind}>
        <Text size="xs" c="dimmed" className="numbers" title={format.moment(item.at)}>
          {format.time(item.at)}
        </Text>
        <Icon size={16} stroke={1.6} aria-hidden />
        <div style={{ minWidth: 0 }}>
          <What item={item} />
        </div>
      </li>
    </>
  );
}

function What({ item }: { item: TimelineItem }) {
  const { t, i18n } = useTranslation('contacts');
  const format = useFormat();
  const reason = useReason();
  if (item.ledger) {
    return <LedgerWords line={item.ledger} />;
  }
  if (item.message) {
    const { message } = item;
    return (
      <Group gap="xs">
        <Text size="sm" fw={500} className="breaks">
          {t('messageOf', { channel: t(`channel.${message.channel}`), template: message.template })}
        </Text>
        <MessageState message={message} />
        {typeof message.reason === 'string' && (
          <Text size="sm" c="dimmed" className="breaks">
            {reason(message.reason)}
          </Text>
        )}
        <ReadMessage id={message.id} />
        <Anchor
          size="xs"
          renderRoot={(props) => (
            <Link
              {...props}
              to="/contacts/$id"
              params={{ id: message.contact }}
              search={{ tab: 'why', message: message.id }}
            />
          )}
        >
          {t('whyMessage')}
        </Anchor>
      </Group>
    );
  }
  if (item.task) {
    return (
      <Group gap="xs">
        <Text size="sm" className="breaks" lineClamp={3}>
          {t('taskOf', { title: item.task.title })}
        </Text>
        <Badge
          size="sm"
          radius="sm"
          variant="light"
          tt="none"
          color={item.task.state === 'done' ? 'green' : 'gray'}
        >
          {item.task.state === 'done' ? t('taskDone') : t('taskOpen')}
        </Badge>
      </Group>
    );
  }
  if (item.consent) {
    return (
      <Text size="sm" className="breaks">
        {t('consentOf', {
          about: aboutWords(t, i18n.exists.bind(i18n), item.consent.about),
          answer: t(`answer.${item.consent.answer}`),
        })}
      </Text>
    );
  }
  const event = item.event;
  if (!event) {
    return null;
  }
  const name = event.event ?? event.type;
  const key = `event.${name}`;
  const facts = factsOfEvent(event.properties ?? {}, format);
  return (
    <Text size="sm" className="breaks" lineClamp={4}>
      {i18n.exists(key, { ns: 'contacts' }) ? t(key) : name}
      {facts !== '' && (
        <Text span size="sm" c="dimmed">
          {' · '}
          {facts}
        </Text>
      )}
    </Text>
  );
}

/** The few properties of an event that say what it was about. */
function factsOfEvent(properties: Record<string, unknown>, format: ReturnType<typeof useFormat>): string {
  const text = (name: string) => {
    const value = properties[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
  };
  const amount = text('amount') ?? text('revenue') ?? text('total') ?? text('value');
  return [
    text('number') ?? text('name') ?? text('title') ?? text('mail_subject') ?? text('url'),
    amount === undefined || Number.isNaN(Number(amount))
      ? undefined
      : format.amount(amount, text('currency')),
    text('text')?.slice(0, 300),
  ]
    .filter((part) => part !== undefined && part !== '')
    .join(' · ');
}

/** `channel:email`, `topic:news` in words. */
export function aboutWords(
  t: (key: string, values?: Record<string, string>) => string,
  exists: (key: string, options: { ns: string }) => boolean,
  about: string,
): string {
  const [sort, name = ''] = about.split(/:(.*)/s);
  const key = `channel.${name}`;
  if (sort === 'channel') {
    return exists(key, { ns: 'contacts' }) ? t(key) : name;
  }
  return t('topic', { topic: name });
}
