import { Button, Group, Select, Stack, Switch, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { queries } from '../../api/queries';
import { tellDone } from '../../shared/tell';
import { type Session, sessionQuery, useMay, useSession } from '../../shell/useSession';
import { AccessNote } from '../access/AccessNote';
import { putMe, usersQuery } from '../settings/calls';
import { Section } from '../settings/Section';

type User = NonNullable<Session['user']>;

/** Roles that may answer a question for approval. */
const ANSWERS = new Set(['admin', 'head', 'marketer', 'salesperson']);
const HOUR = '09:00';

/** When a person is told what waits for them, and who answers while they are away. */
export function Absence() {
  const user = useSession()?.user;
  const may = useMay();
  if (user == null || !may('approve')) {
    return null;
  }
  // What was saved elsewhere begins the form anew.
  const saved = [user.deputy, user.away_from, user.away_until, user.digest].join('|');
  return (
    <>
      <Digest key={user.digest} user={user} />
      <Away key={saved} user={user} />
    </>
  );
}

function useSave() {
  const { t } = useTranslation('absence');
  return useMutation({
    mutationFn: putMe,
    onSuccess: async () => {
      await queries.refetchQueries({ queryKey: sessionQuery.queryKey, exact: true });
      tellDone(t('saved'));
    },
  });
}

function Digest({ user }: { user: User }) {
  const { t } = useTranslation('absence');
  const [hour, setHour] = useState(user.digest === 'off' ? HOUR : user.digest);
  const [on, setOn] = useState(user.digest !== 'off');
  const save = useSave();
  const digest = on ? hour : 'off';
  return (
    <Section title={t('digest.title')} text={t('digest.text')}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate({ digest });
        }}
      >
        <Stack gap="sm" maw={420}>
          {save.isError && <AccessNote error={save.error} />}
          <Switch
            label={t('digest.on')}
            checked={on}
            onChange={(event) => setOn(event.currentTarget.checked)}
          />
          {on && (
            <TextInput
              type="time"
              label={t('digest.hour')}
              description={t('digest.days')}
              value={hour}
              required
              w={160}
              onChange={(event) => setHour(event.currentTarget.value)}
            />
          )}
          <Group>
            <Button type="submit" loading={save.isPending} disabled={digest === user.digest || hour === ''}>
              {t('shell:save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Section>
  );
}

function Away({ user }: { user: User }) {
  const { t } = useTranslation('absence');
  const [form, setForm] = useState({
    deputy: user.deputy ?? '',
    from: user.away_from ?? '',
    until: user.away_until ?? '',
  });
  const users = useQuery(usersQuery);
  const save = useSave();
  const others = (users.data?.items ?? []).filter(
    (one) => one.address !== user.address && ANSWERS.has(one.role),
  );
  const away = user.away_until != null;
  const whole = form.deputy !== '' && form.until !== '' && (form.from === '' || form.from <= form.until);
  return (
    <Section title={t('away.title')} text={t('away.text')}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate({
            deputy: form.deputy,
            away_until: form.until,
            ...(form.from === '' ? {} : { away_from: form.from }),
          });
        }}
      >
        <Stack gap="sm" maw={420}>
          {save.isError && <AccessNote error={save.error} />}
          <Select
            label={t('away.deputy')}
            description={others.length === 0 && users.isSuccess ? t('away.alone') : undefined}
            data={others.map((one) => ({ value: one.address, label: one.name ?? one.address }))}
            value={form.deputy === '' ? null : form.deputy}
            onChange={(deputy) => setForm({ ...form, deputy: deputy ?? '' })}
            searchable
            disabled={others.length === 0}
            nothingFoundMessage={t('away.nobody')}
          />
          <Group grow align="flex-start">
            <TextInput
              type="date"
              label={t('away.from')}
              value={form.from}
              onChange={(event) => setForm({ ...form, from: event.currentTarget.value })}
            />
            <TextInput
              type="date"
              label={t('away.until')}
              value={form.until}
              min={form.from === '' ? undefined : form.from}
              error={form.until !== '' && form.from > form.until ? t('away.order') : undefined}
              onChange={(event) => setForm({ ...form, until: event.currentTarget.value })}
            />
          </Group>
          <Group>
            <Button type="submit" loading={save.isPending} disabled={!whole}>
              {t('shell:save')}
            </Button>
            {away && (
              <Button
                variant="default"
                loading={save.isPending}
                onClick={() => save.mutate({ away_until: '' })}
              >
                {t('away.back')}
              </Button>
            )}
          </Group>
        </Stack>
      </form>
    </Section>
  );
}
