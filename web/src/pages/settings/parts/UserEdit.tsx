import { Autocomplete, Button, Group, Stack, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { queries } from '../../../api/queries';
import { tellDone } from '../../../shared/tell';
import { AccessNote } from '../../access/AccessNote';
import { putUser, type User, usersQuery } from '../calls';
import { Dialog } from '../Dialog';
import { RoleField } from './Invite';

/** Changes what somebody is here. */
export function UserEdit({ user, teams, close }: { user: User; teams: string[]; close: () => void }) {
  const { t } = useTranslation('settings');
  const [form, setForm] = useState({ name: user.name ?? '', role: user.role, team: user.team ?? '' });
  const save = useMutation({
    mutationFn: () =>
      putUser(user.address, { name: form.name.trim(), role: form.role, team: form.team.trim() }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: usersQuery.queryKey });
      queries.invalidateQueries({ queryKey: ['session'] });
      tellDone(t('saved'));
      close();
    },
  });
  return (
    <Dialog title={user.address} close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <Stack gap="sm">
          {save.isError && <AccessNote error={save.error} />}
          <TextInput
            label={t('me.name')}
            value={form.name}
            onChange={(event) => setForm({ ...form, name: event.currentTarget.value })}
            data-autofocus
          />
          <RoleField value={form.role} onChange={(role) => setForm({ ...form, role })} />
          <Autocomplete
            label={t('team.team')}
            description={t('team.teamText')}
            data={teams}
            value={form.team}
            onChange={(team) => setForm({ ...form, team })}
          />
          <Group justify="flex-end" gap="xs" mt="xs">
            <Button variant="default" onClick={close}>
              {t('shell:cancel')}
            </Button>
            <Button type="submit" loading={save.isPending}>
              {t('shell:save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
