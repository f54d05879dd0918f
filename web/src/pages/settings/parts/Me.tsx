import { Button, Group, Select, Stack, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { queries } from '../../../api/queries';
import { tellDone } from '../../../shared/tell';
import { type Session, sessionQuery, useSession } from '../../../shell/useSession';
import { isLanguage, LANGUAGE_NAMES, LANGUAGES, speak } from '../../../words';
import { Absence } from '../../absence/Absence';
import { AccessNote } from '../../access/AccessNote';
import { putMe } from '../calls';
import { Section } from '../Section';
import { ZoneField } from '../sections/ZoneField';
import { Devices } from './Devices';
import { PasswordPart } from './PasswordPart';
import { Totp } from './Totp';

/** What a person settles for themselves. */
export function Me() {
  const mine = useSession();
  if (mine?.user == null) {
    return null;
  }
  return (
    <Stack gap="md">
      <Profile key={mine.user.address} mine={mine} user={mine.user} />
      <Absence />
      <PasswordPart />
      <Totp />
      <Devices />
    </Stack>
  );
}

type ProfileProps = { mine: Session; user: NonNullable<Session['user']> };

function Profile({ mine, user }: ProfileProps) {
  const { t } = useTranslation('settings');
  const saved = { name: user.name ?? '', language: user.language ?? '', zone: user.zone ?? '' };
  const [form, setForm] = useState(saved);
  const changed = (Object.keys(saved) as (keyof typeof saved)[]).some((key) => saved[key] !== form[key]);
  const save = useMutation({
    mutationFn: () => putMe({ ...form, name: form.name.trim() }),
    onSuccess: async () => {
      await queries.refetchQueries({ queryKey: sessionQuery.queryKey, exact: true });
      if (isLanguage(form.language)) {
        await speak(form.language);
      }
      tellDone(t('saved'));
    },
  });
  return (
    <Section title={t('me.profile')}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <Stack gap="sm" maw={420}>
          {save.isError && <AccessNote error={save.error} />}
          <TextInput
            label={t('me.address')}
            value={user.address}
            readOnly
            description={t('me.addressText')}
          />
          <TextInput
            label={t('me.name')}
            autoComplete="name"
            value={form.name}
            onChange={(event) => setForm({ ...form, name: event.currentTarget.value })}
          />
          <Select
            label={t('me.language')}
            data={[
              { value: '', label: t('me.asWorkspace', { what: nameOf(mine.workspace.language) }) },
              ...LANGUAGES.map((one) => ({ value: one, label: LANGUAGE_NAMES[one] })),
            ]}
            value={form.language}
            onChange={(language) => setForm({ ...form, language: language ?? '' })}
            allowDeselect={false}
          />
          <ZoneField
            label={t('me.zone')}
            none={{ value: '', label: t('me.asWorkspace', { what: mine.workspace.zone }) }}
            value={form.zone}
            onChange={(zone) => setForm({ ...form, zone })}
          />
          <Group>
            <Button type="submit" loading={save.isPending} disabled={!changed}>
              {t('shell:save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Section>
  );
}

function nameOf(language: string): string {
  return isLanguage(language) ? LANGUAGE_NAMES[language] : language;
}
