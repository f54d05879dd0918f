import { Autocomplete, Button, Group, Radio, Select, Stack, Switch, Text, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { queries } from '../../../api/queries';
import { LANGUAGE_NAMES, LANGUAGES, language } from '../../../words';
import { AccessNote } from '../../access/AccessNote';
import { type Invited, postUser, type User, usersQuery } from '../calls';
import { Dialog } from '../Dialog';
import { Secret } from '../Secret';
import { nameOf } from './Team';

export const ROLES = ['admin', 'head', 'marketer', 'salesperson', 'viewer'] as const;

/** Invites somebody: who, as what; then the link by which they choose a password. */
export function Invite({ teams, close }: { teams: string[]; close: () => void }) {
  const { t } = useTranslation('settings');
  const [form, setForm] = useState({
    address: '',
    name: '',
    role: 'salesperson',
    team: '',
    language: language() as string,
    mail: true,
  });
  const set = (part: Partial<typeof form>) => setForm((before) => ({ ...before, ...part }));
  const invite = useMutation({
    mutationFn: () => {
      const { name, team, ...rest } = form;
      return postUser({
        ...rest,
        address: form.address.trim(),
        ...(name.trim() === '' ? {} : { name: name.trim() }),
        ...(team.trim() === '' ? {} : { team: team.trim() }),
      });
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: usersQuery.queryKey }),
  });
  if (invite.data !== undefined) {
    return (
      <Dialog title={t('team.linkTitle', { name: nameOf(invite.data.user) })} close={close} stays>
        <LinkShown {...invite.data} close={close} />
      </Dialog>
    );
  }
  return (
    <Dialog title={t('team.invite')} close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          invite.mutate();
        }}
      >
        <Stack gap="sm">
          {invite.isError && <AccessNote error={invite.error} />}
          <TextInput
            label={t('me.address')}
            type="email"
            required
            withAsterisk={false}
            value={form.address}
            onChange={(event) => set({ address: event.currentTarget.value })}
            data-autofocus
          />
          <TextInput
            label={t('me.name')}
            value={form.name}
            onChange={(event) => set({ name: event.currentTarget.value })}
          />
          <RoleField value={form.role} onChange={(role) => set({ role })} />
          <Autocomplete
            label={t('team.team')}
            description={t('team.teamText')}
            data={teams}
            value={form.team}
            onChange={(team) => set({ team })}
          />
          <Select
            label={t('me.language')}
            data={LANGUAGES.map((one) => ({ value: one, label: LANGUAGE_NAMES[one] }))}
            value={form.language}
            onChange={(chosen) => set({ language: chosen ?? form.language })}
            allowDeselect={false}
          />
          <Switch
            label={t('team.mail')}
            checked={form.mail}
            onChange={(event) => set({ mail: event.currentTarget.checked })}
          />
          <Group justify="flex-end" gap="xs" mt="xs">
            <Button variant="default" onClick={close}>
              {t('shell:cancel')}
            </Button>
            <Button type="submit" loading={invite.isPending}>
              {t('team.invite')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}

type ShownProps = { user: User; link: string; mailed?: Invited['mailed']; close: () => void };

/** The link is shown this once. */
export function LinkShown({ user, link, mailed, close }: ShownProps) {
  const { t } = useTranslation('settings');
  return (
    <Stack gap="md">
      <Text size="sm" className="breaks">
        {mailed === true ? t('team.mailed', { address: user.address }) : t('team.notMailed')}
      </Text>
      <Secret value={link} label={t('team.link')} />
      <Text size="xs" c="dimmed">
        {t('team.linkOnce')}
      </Text>
      <Group justify="flex-end">
        <Button onClick={close} data-autofocus>
          {t('done')}
        </Button>
      </Group>
    </Stack>
  );
}

/** A role is chosen by what it may do, not by its name alone. */
export function RoleField({ value, onChange }: { value: string; onChange: (role: string) => void }) {
  const { t } = useTranslation('settings');
  return (
    <Radio.Group label={t('team.role')} value={value} onChange={onChange}>
      <Stack gap={8} mt={6}>
        {ROLES.map((role) => (
          <Radio
            key={role}
            value={role}
            size="xs"
            label={t(`role.${role}`)}
            description={t(`roleText.${role}`)}
          />
        ))}
      </Stack>
    </Radio.Group>
  );
}
