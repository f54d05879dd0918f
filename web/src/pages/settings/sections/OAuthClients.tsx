import { Anchor, Badge, Group, Stack, Text, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useSession } from '../../../shell/useSession';
import { EditSection, type FormProps } from '../edit/EditSection';
import type { FieldProblem } from '../edit/problems';
import { asText } from '../parts/values';
import { Secret as Copied } from '../Secret';
import { readSecret, type Secret, SecretField, writeSecret } from './SecretField';
import classes from './sections.module.css';
import { asRaw, type Raw } from './values';

const ANY_TENANT = 'common';

const PROVIDERS = ['google', 'microsoft'] as const;
type Provider = (typeof PROVIDERS)[number];

/** Where each lets an application be registered. */
const CONSOLES: Record<Provider, string> = {
  google: 'https://console.cloud.google.com/apis/credentials',
  microsoft: 'https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps',
};

type Client = { client_id: string; client_secret: Secret; tenant: string };
type OAuthForm = Record<Provider, Client>;

const readClient = (value: unknown): Client => {
  const raw = asRaw(value);
  return {
    client_id: asText(raw.client_id),
    client_secret: readSecret(raw.client_secret),
    tenant: asText(raw.tenant),
  };
};

const readClients = (value: unknown): OAuthForm => ({
  google: readClient(asRaw(value).google),
  microsoft: readClient(asRaw(value).microsoft),
});

const writeClient = ({ client_id, client_secret, tenant }: Client, withTenant: boolean): Raw | null =>
  client_id.trim() === ''
    ? null
    : {
        client_id: client_id.trim(),
        ...writeSecret('client_secret', client_secret),
        ...(withTenant && tenant.trim() !== '' ? { tenant: tenant.trim() } : {}),
      };

const writeClients = (form: OAuthForm): Raw => ({
  google: writeClient(form.google, false),
  microsoft: writeClient(form.microsoft, true),
});

/** Our application at Google and Microsoft: with it people connect a mailbox by one button. */
export function OAuthClients() {
  const { t } = useTranslation('settings');
  const check = (form: OAuthForm): FieldProblem[] =>
    PROVIDERS.flatMap((one) => {
      const { client_id, client_secret: secret } = form[one];
      const has = secret.text !== '' || (secret.isSet && !secret.isRemoved);
      return client_id.trim() !== '' && !has
        ? [{ field: `${one}.client_secret`, message: t('edit.required') }]
        : [];
    });
  return (
    <EditSection<OAuthForm>
      section="oauth_clients"
      title={t('oauth.title')}
      text={t('oauth.text')}
      shape={{
        read: readClients,
        write: writeClients,
        check,
        holdsSecret: (form) =>
          PROVIDERS.some((one) => form[one].client_secret.text !== '' || form[one].client_secret.isRemoved),
      }}
      read={(form) => (
        <ul className={classes.entries}>
          {PROVIDERS.map((one) => (
            <li key={one} className={classes.entry} style={{ paddingBlock: 8 }}>
              <Group justify="space-between" gap="sm" wrap="nowrap">
                <Stack gap={0} style={{ minWidth: 0 }}>
                  <Text size="sm" fw={600}>
                    {t(`oauth.${one}`)}
                  </Text>
                  {form[one].client_id !== '' && (
                    <Text size="xs" c="dimmed" truncate>
                      {form[one].client_id}
                    </Text>
                  )}
                </Stack>
                <Badge
                  variant="light"
                  color={form[one].client_id === '' ? 'gray' : 'green'}
                  style={{ flex: 'none' }}
                >
                  {form[one].client_id === '' ? t('channels.absent') : t('channels.ready')}
                </Badge>
              </Group>
            </li>
          ))}
        </ul>
      )}
      edit={(props) => <Edit {...props} />}
      fields={PROVIDERS.flatMap((one) => [`${one}.client_id`, `${one}.client_secret`, `${one}.tenant`])}
    />
  );
}

function Edit({ form, set, wrong }: FormProps<OAuthForm>) {
  const { t } = useTranslation('settings');
  const url = useSession()?.workspace.public_url ?? window.location.origin;
  return (
    <Stack gap="lg">
      <Stack gap={4}>
        <Text size="sm">{t('oauth.redirect')}</Text>
        <Copied value={`${url}/auth/mailbox`} label={t('oauth.redirectLabel')} />
      </Stack>
      {PROVIDERS.map((one) => {
        const client = form[one];
        const change = (patch: Partial<Client>) => set({ [one]: { ...client, ...patch } });
        return (
          <fieldset key={one} style={{ border: 0, margin: 0, padding: 0, minWidth: 0 }}>
            <legend className={classes.legend}>{t(`oauth.${one}`)}</legend>
            <Text size="xs" c="dimmed" mb="xs">
              {t(`oauth.${one}Text`)}{' '}
              <Anchor size="xs" href={CONSOLES[one]} target="_blank" rel="noreferrer" underline="always">
                {t('oauth.open')}
              </Anchor>
            </Text>
            <div className={classes.fields}>
              <TextInput
                label={t('oauth.client_id')}
                autoComplete="off"
                value={client.client_id}
                onChange={(event) => change({ client_id: event.currentTarget.value })}
                error={wrong(`${one}.client_id`)}
              />
              <SecretField
                label={t('oauth.client_secret')}
                value={client.client_secret}
                onChange={(client_secret) => change({ client_secret })}
                error={wrong(`${one}.client_secret`)}
              />
              {one === 'microsoft' && (
                <TextInput
                  label={t('oauth.tenant')}
                  description={t('oauth.tenantText')}
                  inputWrapperOrder={['label', 'input', 'description', 'error']}
                  placeholder={ANY_TENANT}
                  value={client.tenant}
                  onChange={(event) => change({ tenant: event.currentTarget.value })}
                  error={wrong(`${one}.tenant`)}
                />
              )}
            </div>
          </fieldset>
        );
      })}
    </Stack>
  );
}
