import { Anchor, Badge, Chip, Drawer, Group, Skeleton, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { answer, api } from '../../api/client';
import type { components } from '../../api/schema';
import { type Column, DataList, Empty } from '../../shared/DataList';
import { useFormat } from '../../shared/format';
import { MailFrame } from '../../shared/MailFrame';
import { Page } from '../../shared/Page';
import { ProblemNote } from '../../shared/ProblemNote';
import { textOf, useAddress } from '../../shared/useAddress';

type Row = components['schemas']['MessageRow'];

/** Lists of messages that the server keeps; the first is shown unasked. */
const STATES = [
  'accepted',
  'held',
  'dropped',
  'withdrawn',
  'refused_hard',
  'refused_soft',
  'template_failed',
  'unknown',
] as const;
const PAGE_ROWS = 100;

/** What left, what waits, and what did not go: every message with its reason. */
export function Messages() {
  const { t } = useTranslation('messages');
  const format = useFormat();
  const [search, change] = useAddress();
  const state = STATES.find((one) => one === search.state) ?? 'accepted';
  const open = textOf(search.open);
  const columns: Column<Row>[] = [
    { key: 'at', title: t('at'), width: '170px', render: (row) => format.moment(row.at) },
    {
      key: 'to',
      title: t('to'),
      render: (row) => (
        <Anchor
          size="sm"
          className="breaks"
          renderRoot={(props) => <Link {...props} to="/contacts/$id" params={{ id: row.contact }} />}
        >
          {row.contact_name ?? row.contact}
        </Anchor>
      ),
    },
    {
      key: 'about',
      title: t('about'),
      render: (row) => row.subject?.replace(/^[^:/]*[:/]/, '') ?? '',
      from: 'md',
    },
    { key: 'template', title: t('template'), render: (row) => row.template },
    { key: 'journey', title: t('journey'), render: (row) => row.journey, from: 'lg' },
    {
      key: 'reason',
      title: t(state === 'accepted' ? 'channel' : 'reason'),
      render: (row) =>
        typeof row.reason !== 'string' ? (
          <Badge variant="light" color="gray">
            {t(`channel.${row.channel}`, { ns: 'contacts', defaultValue: row.channel })}
          </Badge>
        ) : (
          <Text size="sm" component="span" title={row.detail ?? undefined}>
            {t(`reason.${row.reason}`, { ns: 'contacts', defaultValue: row.reason.replaceAll('_', ' ') })}
          </Text>
        ),
    },
  ];
  return (
    <Page title={t('title')} lead={t('lead')}>
      <Chip.Group value={state} onChange={(value) => change({ state: String(value), open: undefined })}>
        <Group gap="xs">
          {STATES.map((one) => (
            <Chip key={one} value={one} size="sm" variant="light">
              {t(`state.${one}`)}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
      <DataList
        label={t('title')}
        queryKey={['overview', 'messages', state]}
        load={(cursor, signal) =>
          answer(
            api.GET('/api/v1/touchpoints', {
              params: { query: { state, cursor, limit: PAGE_ROWS } },
              signal,
            }),
          )
        }
        rowKey={(row) => row.id}
        columns={columns}
        onOpen={(row) => change({ open: row.id }, { push: true })}
        empty={
          <Empty title={t(`empty.${state === 'accepted' ? 'accepted' : 'other'}`)} text={t('empty.text')} />
        }
      />
      <Drawer
        opened={open !== undefined}
        onClose={() => change({ open: undefined })}
        position="right"
        size="xl"
        title={t('message')}
      >
        {open !== undefined && <Message id={open} />}
      </Drawer>
    </Page>
  );
}

function Message({ id }: { id: string }) {
  const { t } = useTranslation('messages');
  const format = useFormat();
  const query = useQuery({
    queryKey: ['overview', 'message', id],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/touchpoints/{id}/message', { params: { path: { id } }, signal })),
  });
  if (query.isError) {
    return <ProblemNote error={query.error} retry={() => query.refetch()} />;
  }
  const message = query.data;
  if (message === undefined) {
    return (
      <Stack aria-hidden>
        <Skeleton height={24} width="60%" />
        <Skeleton height={300} />
      </Stack>
    );
  }
  return (
    <Stack gap="sm">
      <div>
        <Text fw={600} className="breaks">
          {message.subject}
        </Text>
        <Text size="sm" c="dimmed" className="breaks">
          {t('fromTo', { from: message.from ?? '', to: message.to.join(', ') })}
        </Text>
        <Text size="sm" c="dimmed">
          {message.sent ? format.moment(message.at) : t('anew')}
        </Text>
      </div>
      {message.html === undefined || message.html === null ? (
        <Text size="sm" className="breaks" style={{ whiteSpace: 'pre-wrap' }}>
          {message.text}
        </Text>
      ) : (
        <MailFrame html={message.html} title={t('message')} height="70vh" />
      )}
    </Stack>
  );
}
