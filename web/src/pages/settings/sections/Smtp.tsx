import { Alert, Button, Group, NumberInput, Select, Stack, Text, TextInput } from '@mantine/core';
import { IconSend } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ProblemNote } from '../../../shared/ProblemNote';
import { sendTest } from '../calls';
import { EditSection, type FormProps } from '../edit/EditSection';
import type { FieldProblem } from '../edit/problems';
import { asText } from '../parts/values';
import { Facts } from './Facts';
import { readSecret, type Secret, SecretField, writeSecret } from './SecretField';
import classes from './sections.module.css';
import { asNumber, asRaw, orNull, type Raw } from './values';

const EXAMPLE = 'smtp.example.com';

const TLS = ['starttls', 'implicit', 'none'] as const;
/** The port that goes with an encryption. */
const PORTS: Record<string, number> = { implicit: 465, starttls: 587, none: 25 };
const PORT_MAX = 65_535;
const COUNTS = ['connections_max', 'per_second_max', 'per_hour_max'] as const;
const OWN = ['host', 'port', 'tls', 'helo', 'user', 'password', ...COUNTS];

type SmtpForm = {
  host: string;
  port: number | '';
  tls: string;
  helo: string;
  user: string;
  password: Secret;
  connections_max: number | '';
  per_second_max: number | '';
  per_hour_max: number | '';
  rest: Raw;
};

const readSmtp = (value: unknown): SmtpForm => {
  const raw = asRaw(value);
  return {
    host: asText(raw.host),
    port: raw.port == null ? (PORTS.starttls ?? '') : asNumber(raw.port),
    tls: asText(raw.tls) || 'starttls',
    helo: asText(raw.helo),
    user: asText(raw.user),
    password: readSecret(raw.password),
    connections_max: asNumber(raw.connections_max),
    per_second_max: asNumber(raw.per_second_max),
    per_hour_max: asNumber(raw.per_hour_max),
    rest: Object.fromEntries(Object.entries(raw).filter(([key]) => !OWN.includes(key))),
  };
};

/** Without a server there is none: messages leave by the mailboxes. */
const writeSmtp = (form: SmtpForm): Raw | null =>
  form.host.trim() === ''
    ? null
    : {
        ...form.rest,
        host: form.host.trim(),
        port: form.port,
        tls: form.tls,
        ...(form.helo.trim() === '' ? {} : { helo: form.helo.trim() }),
        user: orNull(form.user),
        ...writeSecret('password', form.password),
        ...Object.fromEntries(COUNTS.filter((key) => form[key] !== '').map((key) => [key, form[key]])),
      };

/** The server that messages leave by which come from no salesperson's mailbox. */
export function Smtp() {
  const { t } = useTranslation('settings');
  const test = useMutation({ mutationFn: () => sendTest('email') });
  const check = (form: SmtpForm): FieldProblem[] =>
    form.host.trim() !== '' && (form.port === '' || form.port < 1)
      ? [{ field: 'port', message: t('edit.number') }]
      : [];
  return (
    <EditSection<SmtpForm>
      section="smtp"
      title={t('smtp.title')}
      text={t('smtp.text')}
      shape={{
        read: readSmtp,
        write: writeSmtp,
        check,
        holdsSecret: ({ password }) => password.text !== '' || password.isRemoved,
      }}
      read={(form) => (
        <Stack gap="sm">
          {form.host === '' ? <Text size="sm">{t('smtp.none')}</Text> : <Read form={form} />}
          {test.isError && <ProblemNote error={test.error} />}
          {test.data !== undefined && <Tested sent={test.data} />}
          {form.host !== '' && (
            <Group>
              <Button
                variant="light"
                size="xs"
                leftSection={<IconSend size={14} aria-hidden />}
                loading={test.isPending}
                onClick={() => test.mutate()}
              >
                {t('channels.test')}
              </Button>
            </Group>
          )}
        </Stack>
      )}
      edit={(props) => <Edit {...props} />}
      fields={['host', 'port', 'tls', 'helo', 'user', 'password', ...COUNTS]}
    />
  );
}

function Read({ form }: { form: SmtpForm }) {
  const { t } = useTranslation('settings');
  return (
    <Facts
      list={[
        [t('smtp.server'), `${form.host}:${form.port}`],
        [t('smtp.tls'), t(`smtp.tlsIs.${form.tls}`, { defaultValue: form.tls })],
        [t('smtp.user'), form.user],
        [t('smtp.password'), form.password.isSet ? t('secret.set') : ''],
      ]}
    />
  );
}

function Tested({ sent }: { sent: Awaited<ReturnType<typeof sendTest>> }) {
  const { t } = useTranslation('settings');
  const good = sent.outcome === 'accepted';
  return (
    <Alert color={good ? 'green' : 'red'} variant="light" role="status">
      <Text size="sm" className="breaks">
        {t(good ? 'channels.tested' : 'channels.refused', { to: sent.to })}
      </Text>
      {sent.detail != null && (
        <Text size="xs" className="breaks">
          {sent.detail}
        </Text>
      )}
    </Alert>
  );
}

function Edit({ form, set, wrong }: FormProps<SmtpForm>) {
  const { t } = useTranslation('settings');
  const [isMore, setMore] = useState(COUNTS.some((key) => form[key] !== ''));
  // The usual port follows the encryption, as long as nobody chose another.
  const setTls = (tls: string) => {
    const isUsual = form.port === '' || form.port === PORTS[form.tls];
    set({ tls, ...(isUsual ? { port: PORTS[tls] ?? form.port } : {}) });
  };
  return (
    <div className={classes.fields}>
      <TextInput
        label={t('smtp.host')}
        placeholder={EXAMPLE}
        description={t('smtp.hostText')}
        inputWrapperOrder={['label', 'input', 'description', 'error']}
        value={form.host}
        onChange={(event) => set({ host: event.currentTarget.value })}
        error={wrong('host')}
      />
      <Group gap={10} wrap="nowrap" align="flex-start">
        <Select
          style={{ flex: 1 }}
          label={t('smtp.tls')}
          data={TLS.map((value) => ({ value, label: t(`smtp.tlsIs.${value}`) }))}
          value={form.tls}
          allowDeselect={false}
          onChange={(tls) => setTls(tls ?? form.tls)}
          error={wrong('tls')}
        />
        <NumberInput
          w={92}
          label={t('smtp.port')}
          min={1}
          max={PORT_MAX}
          allowDecimal={false}
          hideControls
          value={form.port}
          onChange={(port) => set({ port: asNumber(port) })}
          error={wrong('port')}
        />
      </Group>
      <TextInput
        label={t('smtp.user')}
        autoComplete="off"
        value={form.user}
        onChange={(event) => set({ user: event.currentTarget.value })}
        error={wrong('user')}
      />
      <SecretField
        label={t('smtp.password')}
        value={form.password}
        onChange={(password) => set({ password })}
        error={wrong('password')}
      />
      {isMore ? (
        <>
          <div className={classes.groupName}>{t('smtp.more')}</div>
          <TextInput
            label={t('smtp.helo')}
            value={form.helo}
            onChange={(event) => set({ helo: event.currentTarget.value })}
            error={wrong('helo')}
          />
          {COUNTS.map((key) => (
            <NumberInput
              key={key}
              label={t(`smtp.${key}`)}
              placeholder={t('smtp.noLimit')}
              min={1}
              allowDecimal={false}
              value={form[key]}
              onChange={(value) => set({ [key]: asNumber(value) })}
              error={wrong(key)}
            />
          ))}
        </>
      ) : (
        <Group className={classes.whole ?? ''}>
          <Button variant="subtle" color="gray" fw={500} size="compact-sm" onClick={() => setMore(true)}>
            {t('smtp.more')}
          </Button>
        </Group>
      )}
    </div>
  );
}
