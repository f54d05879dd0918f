import { ActionIcon, Badge, Button, Group, Menu, Progress, Stack, Text } from '@mantine/core';
import {
  IconDots,
  IconFileSearch,
  IconPencil,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlugConnected,
  IconRefresh,
  IconTrash,
} from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../shared/format';
import { tellDone, tellFailure, tellUndoable } from '../../shared/tell';
import { useNow } from '../../shared/useNow';
import { demoQuery } from '../../shell/DemoBar';
import classes from '../settings/Settings.module.css';
import { act, type Mailbox, mailboxesQuery } from './calls';
import type { Open } from './Mailboxes';
import own from './Mailboxes.module.css';
import { providerName } from './providers';
import { COLOURS, isReading, percentOf } from './state';

type Props = {
  box: Mailbox;
  mayChange: boolean;
  open: (open: Open) => void;
  /** Connects it once more, with a new password or a new leave. */
  again: () => void;
};

export function Row({ box, mayChange, open, again }: Props) {
  const { t } = useTranslation('mailboxes');
  const format = useFormat();
  const queries = useQueryClient();
  const now = useNow();
  // The demonstration plays its mailboxes: no server stands behind them.
  const isPlayed = useQuery(demoQuery).data != null && box.origin === 'file';
  const state = isPlayed ? t('overview:health.played') : t(`state.${box.state}`);
  const colour = isPlayed ? 'blue' : COLOURS[box.state];
  const refresh = () => queries.invalidateQueries({ queryKey: mailboxesQuery.queryKey });
  const run = useMutation({
    mutationFn: (what: 'sync' | 'pause' | 'resume') => act(box.address, what),
    onSuccess: (_, what) => {
      refresh();
      if (what === 'pause') {
        tellUndoable(t('paused', { address: box.address }), async () => {
          await act(box.address, 'resume');
          await refresh();
        });
      } else {
        tellDone(t(what === 'sync' ? 'syncing' : 'resumed', { address: box.address }));
      }
    },
    onError: tellFailure,
  });
  const facts = [
    providerName(box.provider),
    t(box.auth === 'oauth' ? 'byOauth' : 'byPassword'),
    box.synced_at ? t('read', { at: format.relative(box.synced_at, now) }) : undefined,
    t('seen', { count: box.seen, number: format.number(box.seen) }),
  ];
  const places = [
    box.folders?.inbox && `${t('folder.inbox')}: ${box.folders.inbox}`,
    box.folders?.sent && `${t('folder.sent')}: ${box.folders.sent}`,
    (box.aliases?.length ?? 0) > 0 && t('aliasesAre', { list: box.aliases?.join(', ') }),
    (box.members?.length ?? 0) > 0 && t('membersAre', { list: box.members?.join(', ') }),
  ].filter((one) => typeof one === 'string' && one !== '');
  return (
    <li className={classes.row} style={{ alignItems: 'flex-start' }} data-mailbox={box.address}>
      <Stack gap={4} className={classes.rowMain}>
        <Group gap={8}>
          <Text size="sm" fw={600} className="breaks">
            {box.address}
          </Text>
          {box.name && (
            <Text size="sm" c="dimmed" className="breaks" lineClamp={1}>
              {box.name}
            </Text>
          )}
          <Badge variant="light" color={colour} size="sm" hiddenFrom="sm">
            {state}
          </Badge>
        </Group>
        <Text size="xs" c="dimmed" className="breaks">
          {facts.filter(Boolean).join(' · ')}
        </Text>
        {places.length > 0 && (
          <Text size="xs" c="dimmed" className="breaks" lineClamp={2}>
            {places.join(' · ')}
          </Text>
        )}
        {isPlayed && (
          <Text size="xs" c="dimmed">
            {t('overview:health.playedText')}
          </Text>
        )}
        {!isPlayed && isReading(box) && <Reading box={box} />}
        {!isPlayed && <Trouble box={box} mayChange={mayChange} again={again} />}
        {box.unreadable > 0 && (
          <Text size="xs" c="var(--relance-look)">
            {t('unreadable', { count: box.unreadable })}
          </Text>
        )}
        {box.origin === 'file' && (
          <Text size="xs" c="dimmed">
            {t('fromFile')}
          </Text>
        )}
      </Stack>
      <Badge variant="light" color={colour} visibleFrom="sm" style={{ flex: 'none' }}>
        {state}
      </Badge>
      {mayChange && (
        <Menu position="bottom-end" width={230}>
          <Menu.Target>
            <ActionIcon
              variant="subtle"
              color="gray"
              loading={run.isPending}
              aria-label={t('actions', { address: box.address })}
            >
              <IconDots size={18} aria-hidden />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item
              leftSection={<IconPencil size={16} aria-hidden />}
              onClick={() => open({ what: 'edit', box })}
            >
              {t('edit')}
            </Menu.Item>
            {box.state !== 'paused' && (
              <Menu.Item
                leftSection={<IconRefresh size={16} aria-hidden />}
                onClick={() => run.mutate('sync')}
              >
                {t('sync')}
              </Menu.Item>
            )}
            <Menu.Item
              component="a"
              href={`/recognition?mailbox=${encodeURIComponent(box.address)}`}
              leftSection={<IconFileSearch size={16} aria-hidden />}
            >
              {t('recognition')}
            </Menu.Item>
            <Menu.Item leftSection={<IconPlugConnected size={16} aria-hidden />} onClick={again}>
              {t('again')}
            </Menu.Item>
            {box.state === 'paused' ? (
              <Menu.Item
                leftSection={<IconPlayerPlay size={16} aria-hidden />}
                onClick={() => run.mutate('resume')}
              >
                {t('resume')}
              </Menu.Item>
            ) : (
              <Menu.Item
                leftSection={<IconPlayerPause size={16} aria-hidden />}
                onClick={() => run.mutate('pause')}
              >
                {t('pause')}
              </Menu.Item>
            )}
            <Menu.Divider />
            <Menu.Item
              color="red"
              leftSection={<IconTrash size={16} aria-hidden />}
              onClick={() => open({ what: 'remove', box })}
            >
              {t('remove')}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
    </li>
  );
}

/** How far the first reading is. */
export function Reading({ box }: { box: Mailbox }) {
  const { t } = useTranslation('mailboxes');
  const format = useFormat();
  const percent = percentOf(box);
  const words =
    percent === undefined
      ? t('reading.begins')
      : t('reading.of', {
          done: format.number(box.progress?.done ?? 0),
          total: format.number(box.progress?.total ?? 0),
        });
  return (
    <Stack gap={4} maw={360}>
      <Progress.Root size="sm">
        <Progress.Section
          value={percent ?? 100}
          animated={percent === undefined}
          striped={percent === undefined}
          aria-label={`${t('reading.label')}: ${words}`}
        />
      </Progress.Root>
      <Text size="xs" c="dimmed" className="numbers">
        {words}
      </Text>
    </Stack>
  );
}

/** What is wrong, and what to do about it. */
function Trouble({ box, mayChange, again }: { box: Mailbox; mayChange: boolean; again: () => void }) {
  const { t } = useTranslation('mailboxes');
  const format = useFormat();
  const now = useNow();
  const { state, failure } = box;
  if (state !== 'failing' && state !== 'login_refused' && state !== 'silent') {
    return null;
  }
  const code = failure?.code ?? state;
  return (
    <Stack gap={4} className={own.problem} data-mild={state === 'silent' || undefined}>
      <Text size="sm" className="breaks">
        {t(`remedy.${code}`, { defaultValue: t(`remedy.${state}`) })}
      </Text>
      {failure?.text && (
        <Text size="xs" c="dimmed" className="breaks" lineClamp={3} title={failure.text}>
          {[failure.since && t('since', { at: format.relative(failure.since, now) }), failure.text]
            .filter(Boolean)
            .join(' · ')}
        </Text>
      )}
      <Text size="xs" c="dimmed">
        {t('held')}
        {(box.waiting ?? 0) > 0 &&
          ` ${t('waiting', { count: box.waiting, number: format.number(box.waiting ?? 0) })}`}
      </Text>
      {state === 'login_refused' && mayChange && (
        <Group>
          <Button size="compact-sm" variant="light" color="red" fw={500} onClick={again}>
            {t('again')}
          </Button>
        </Group>
      )}
    </Stack>
  );
}
