import { Anchor, Button, CopyButton, Group, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { IconCheck, IconCopy, IconDownload } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ProblemNote } from '../../../shared/ProblemNote';
import { useSession } from '../../../shell/useSession';
import { AccessNote } from '../../access/AccessNote';
import { beginTotp, confirmTotp } from '../calls';
import { Dialog } from '../Dialog';
import { Secret } from '../Secret';
import classes from '../Settings.module.css';
import { QrCode } from './QrCode';

/** Two steps: the app, the recovery codes. */
export function TotpSetup({ close }: { close: () => void }) {
  const { t } = useTranslation('settings');
  const [codes, setCodes] = useState<string[]>();
  const { data, error, isError, refetch } = useQuery({
    queryKey: ['session', 'totp'],
    queryFn: beginTotp,
    // A secret belongs to this dialog: it is neither kept nor asked for twice.
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    retry: false,
  });
  return (
    <Dialog title={t('totp.title')} close={close} stays={codes !== undefined}>
      {codes !== undefined ? (
        <Codes codes={codes} close={close} />
      ) : data !== undefined ? (
        <Confirm made={data} done={setCodes} />
      ) : isError ? (
        <ProblemNote error={error} retry={() => refetch()} />
      ) : (
        <Skeleton height={420} />
      )}
    </Dialog>
  );
}

type ConfirmProps = { made: { secret: string; url: string }; done: (codes: string[]) => void };

function Confirm({ made, done }: ConfirmProps) {
  const { t } = useTranslation('settings');
  const [code, setCode] = useState('');
  const asked = useMutation({
    mutationFn: () => confirmTotp(code.trim()),
    onSuccess: (answer) => done(answer.recovery_codes),
    onError: () => setCode(''),
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        asked.mutate();
      }}
    >
      <Stack gap="md">
        <Text size="sm">{t('totp.scan')}</Text>
        <Group justify="center">
          <QrCode text={made.url} label={t('totp.qr')} />
        </Group>
        <Stack gap={4}>
          <Text size="sm">
            {t('totp.noCamera')}{' '}
            <Anchor href={made.url} underline="always">
              {t('totp.openApp')}
            </Anchor>
          </Text>
          <Secret value={made.secret} label={t('totp.secret')} />
        </Stack>
        {asked.isError && <AccessNote error={asked.error} />}
        <TextInput
          label={t('totp.code')}
          name="code"
          autoComplete="one-time-code"
          inputMode="numeric"
          required
          withAsterisk={false}
          value={code}
          onChange={(event) => setCode(event.currentTarget.value)}
          data-autofocus
        />
        <Group justify="flex-end">
          <Button type="submit" loading={asked.isPending}>
            {t('totp.confirm')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

type CodesProps = { codes: string[]; close: () => void; text?: string };

/** Recovery codes, shown this once. */
export function Codes({ codes, close, text: lead }: CodesProps) {
  const { t } = useTranslation('settings');
  const mine = useSession();
  const text = `${codes.join('\n')}\n`;
  const save = () => {
    const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
    const link = document.createElement('a');
    link.href = url;
    link.download = `relance-${mine?.user?.address ?? ''}.txt`;
    link.click();
    URL.revokeObjectURL(url);
  };
  return (
    <Stack gap="md">
      <Text size="sm">{lead ?? t('totp.codesText')}</Text>
      <ul className={classes.codes} aria-label={t('totp.codes')}>
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <Group gap="xs">
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Button
              variant="default"
              size="xs"
              onClick={copy}
              leftSection={copied ? <IconCheck size={15} aria-hidden /> : <IconCopy size={15} aria-hidden />}
            >
              {copied ? t('copied') : t('copy')}
            </Button>
          )}
        </CopyButton>
        <Button
          variant="default"
          size="xs"
          onClick={save}
          leftSection={<IconDownload size={15} aria-hidden />}
        >
          {t('totp.download')}
        </Button>
      </Group>
      <Group justify="flex-end">
        <Button onClick={close}>{t('totp.kept')}</Button>
      </Group>
    </Stack>
  );
}
