import { Button, Code, Select, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { GoOn } from '../../shared/GoOn';
import { isLanguage, LANGUAGE_NAMES, LANGUAGES, language, speak } from '../../words';
import { AccessCard } from './AccessCard';
import { AccessNote } from './AccessNote';
import { setUp, waysQuery } from './calls';
import { linkSecret } from './link';
import { PasswordField } from './PasswordField';

/** The first person of a new workspace, by the one-time link that the server prints when it begins. */
export function Setup() {
  const { t } = useTranslation('access');
  const link = linkSecret();
  const ways = useQuery(waysQuery);
  if (ways.data?.setup_needed === false) {
    return <GoOn to="/sign-in" />;
  }
  if (link === undefined) {
    return (
      <AccessCard title={t('setup.title')} lead={t('setup.needsLink')}>
        <Text size="sm">{t('setup.howLink')}</Text>
        <Code block style={{ whiteSpace: 'pre-wrap' }}>
          relance serve --data DIR
        </Code>
      </AccessCard>
    );
  }
  return (
    <AccessCard title={t('setup.title')} lead={t('setup.lead')}>
      <Form link={link} />
    </AccessCard>
  );
}

function Form({ link }: { link: string }) {
  const { t } = useTranslation('access');
  const router = useRouter();
  const [form, setForm] = useState({
    name: '',
    address: '',
    password: '',
    language: language() as string,
    zone: hereZone(),
  });
  const set = (part: Partial<typeof form>) => setForm((before) => ({ ...before, ...part }));
  const asked = useMutation({
    mutationFn: () => setUp({ ...form, link, name: form.name.trim(), address: form.address.trim() }),
    onSuccess: () => router.history.replace('/'),
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        asked.mutate();
      }}
    >
      <Stack gap="md">
        {asked.isError && <AccessNote error={asked.error} />}
        <TextInput
          label={t('name')}
          name="name"
          autoComplete="name"
          required
          withAsterisk={false}
          value={form.name}
          onChange={(event) => set({ name: event.currentTarget.value })}
          autoFocus
        />
        <TextInput
          label={t('address')}
          type="email"
          name="email"
          autoComplete="username"
          required
          withAsterisk={false}
          value={form.address}
          onChange={(event) => set({ address: event.currentTarget.value })}
        />
        <PasswordField
          label={t('password.choose')}
          kind="new-password"
          value={form.password}
          onChange={(password) => set({ password })}
          rated={[form.address, form.name]}
        />
        <Select
          label={t('language')}
          data={LANGUAGES.map((one) => ({ value: one, label: LANGUAGE_NAMES[one] }))}
          value={form.language}
          onChange={(chosen) => {
            if (isLanguage(chosen)) {
              set({ language: chosen });
              speak(chosen);
            }
          }}
          allowDeselect={false}
        />
        <ZoneField label={t('zone')} value={form.zone} onChange={(zone) => set({ zone })} />
        <Button type="submit" loading={asked.isPending} fullWidth>
          {t('setup.do')}
        </Button>
      </Stack>
    </form>
  );
}

/** The browser's own zone. */
function hereZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
}

/** Choices shown at once; the rest by typing. */
const ZONES_SHOWN_MAX = 50;

function ZoneField(props: { label: string; value: string; onChange: (zone: string) => void }) {
  const { label, value, onChange } = props;
  const { t } = useTranslation('access');
  const zones = useMemo(() => [...new Set([value, 'UTC', ...Intl.supportedValuesOf('timeZone')])], [value]);
  return (
    <Select
      label={label}
      data={zones}
      value={value}
      onChange={(zone) => zone !== null && onChange(zone)}
      searchable
      limit={ZONES_SHOWN_MAX}
      allowDeselect={false}
      nothingFoundMessage={t('zoneUnknown')}
    />
  );
}
