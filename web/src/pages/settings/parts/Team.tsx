import { ActionIcon, Badge, Button, Group, Menu, Skeleton, Stack, Text } from '@mantine/core';
import { IconDots, IconLink, IconPencil, IconShieldOff, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { queries } from '../../../api/queries';
import { useFormat } from '../../../shared/format';
import { ProblemNote } from '../../../shared/ProblemNote';
import { tellDone } from '../../../shared/tell';
import { useSession } from '../../../shell/useSession';
import { Confirm } from '../Confirm';
import { type Invited, inviteAgain, putUser, removeUser, type User, usersQuery } from '../calls';
import { Dialog } from '../Dialog';
import { Section } from '../Section';
import classes from '../Settings.module.css';
import { Invite, LinkShown } from './Invite';
import { UserEdit } from './UserEdit';

type Open =
  | { what: 'invite' }
  | { what: 'edit' | 'remove' | 'link' | 'totp'; user: User }
  | { what: 'shown'; made: Invited };

/** Who works here, and as what. */
export function Team() {
  const { t } = useTranslation('settings');
  const { data, error, isError, refetch } = useQuery(usersQuery);
  const [open, setOpen] = useState<Open>();
  const users = data?.items ?? [];
  const teams = [...new Set(users.flatMap((user) => user.team ?? []))].sort();
  const close = () => setOpen(undefined);
  return (
    <Section
      title={t('part.team')}
      text={t('team.text')}
      flush
      actions={
        <Button size="xs" onClick={() => setOpen({ what: 'invite' })}>
          {t('team.invite')}
        </Button>
      }
    >
      {isError && data === undefined && <ProblemNote error={error} retry={() => refetch()} />}
      {data === undefined && !isError && <Skeleton height={168} radius={0} />}
      <ul className={classes.rows}>
        {users.map((user) => (
          <Row key={user.address} user={user} open={setOpen} />
        ))}
      </ul>
      {open?.what === 'invite' && <Invite teams={teams} close={close} />}
      {open?.what === 'edit' && <UserEdit user={open.user} teams={teams} close={close} />}
      {open?.what === 'shown' && (
        <Dialog title={t('team.linkTitle', { name: nameOf(open.made.user) })} close={close} stays>
          <LinkShown {...open.made} close={close} />
        </Dialog>
      )}
      {(open?.what === 'remove' || open?.what === 'link' || open?.what === 'totp') && (
        <Ask what={open.what} user={open.user} close={close} shown={setOpen} />
      )}
    </Section>
  );
}

function Row({ user, open }: { user: User; open: (open: Open) => void }) {
  const { t } = useTranslation('settings');
  const format = useFormat();
  const mine = useSession()?.user?.address === user.address;
  return (
    <li className={classes.row}>
      <Stack gap={0} className={classes.rowMain}>
        <Group gap="xs">
          <Text size="sm" fw={600} className="breaks" lineClamp={2}>
            {nameOf(user)}
          </Text>
          {mine && (
            <Badge size="sm" variant="light">
              {t('team.you')}
            </Badge>
          )}
          {!user.active && (
            <Badge size="sm" variant="light" color="orange">
              {t('team.invited')}
            </Badge>
          )}
          {user.totp && (
            <Badge size="sm" variant="light" color="green">
              {t('team.totp')}
            </Badge>
          )}
        </Group>
        <Text size="xs" c="dimmed" className="breaks">
          {[user.name ? user.address : undefined, t('team.since', { at: format.day(user.made_at) })]
            .filter((one) => one !== undefined)
            .join(' · ')}
        </Text>
        <Text size="xs" hiddenFrom="sm" className="breaks" lineClamp={2}>
          {[t(`role.${user.role}`), user.team].filter(Boolean).join(' · ')}
        </Text>
      </Stack>
      <Stack gap={0} w={170} visibleFrom="sm" style={{ flex: 'none' }}>
        <Text size="sm">{t(`role.${user.role}`)}</Text>
        {user.team && (
          <Text size="xs" c="dimmed" truncate title={user.team}>
            {user.team}
          </Text>
        )}
      </Stack>
      <Menu position="bottom-end" width={240}>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={t('team.actions', { name: nameOf(user) })}>
            <IconDots size={18} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<IconPencil size={16} aria-hidden />}
            onClick={() => open({ what: 'edit', user })}
          >
            {t('team.edit')}
          </Menu.Item>
          {!user.active && (
            <Menu.Item
              leftSection={<IconLink size={16} aria-hidden />}
              onClick={() => open({ what: 'link', user })}
            >
              {t('team.linkAgain')}
            </Menu.Item>
          )}
          {user.totp && (
            <Menu.Item
              leftSection={<IconShieldOff size={16} aria-hidden />}
              onClick={() => open({ what: 'totp', user })}
            >
              {t('team.totpOff')}
            </Menu.Item>
          )}
          {!mine && (
            <Menu.Item
              color="red"
              leftSection={<IconTrash size={16} aria-hidden />}
              onClick={() => open({ what: 'remove', user })}
            >
              {t('team.remove')}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
    </li>
  );
}

type AskProps = {
  what: 'remove' | 'link' | 'totp';
  user: User;
  close: () => void;
  shown: (open: Open) => void;
};

/** What ends somebody's access, or makes a way in, is asked for once more. */
function Ask({ what, user, close, shown }: AskProps) {
  const { t } = useTranslation('settings');
  const name = nameOf(user);
  const refresh = () => queries.invalidateQueries({ queryKey: usersQuery.queryKey });
  switch (what) {
    case 'remove':
      return (
        <Confirm
          title={t('team.remove')}
          text={t('team.removeText', { name })}
          action={t('team.remove')}
          run={async () => {
            await removeUser(user.address);
            await refresh();
            tellDone(t('team.removed', { name }));
          }}
          close={close}
        />
      );
    case 'totp':
      return (
        <Confirm
          title={t('team.totpOff')}
          text={t('team.totpOffText', { name })}
          action={t('team.totpOff')}
          run={async () => {
            await putUser(user.address, { totp: false });
            await refresh();
            tellDone(t('saved'));
          }}
          close={close}
        />
      );
    case 'link': {
      let made: Invited | undefined;
      return (
        <Confirm
          title={t('team.linkAgain')}
          text={t('team.linkAsk', { name })}
          action={t('team.linkMake')}
          run={async () => {
            made = await inviteAgain(user.address);
          }}
          close={() => (made === undefined ? close() : shown({ what: 'shown', made }))}
        />
      );
    }
  }
}

export function nameOf(user: { name?: string | null; address: string }): string {
  return user.name || user.address;
}
