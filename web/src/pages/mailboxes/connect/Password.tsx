import { Anchor, Button, Collapse, Group, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ProblemNote } from '../../../shared/ProblemNote';
import { type Checked, check, type Found, mailboxesQuery, type Place, putMailbox } from '../calls';
import { FolderField } from '../Edit';
import own from '../Mailboxes.module.css';
import { hintOf, isAppPassword } from '../providers';
import { Server } from './Server';
import { Steps } from './Steps';

type Props = {
  address: string;
  found: Found;
  back: (() => void) | undefined;
  done: () => void;
};

const IMAP: Place = { host: '', port: 993, tls: 'implicit' };
const SMTP: Place = { host: '', port: 465, tls: 'implicit' };

/** The password with the right hint, servers folded; everything is checked before anything is kept. */
export function Password({ address, found, back, done }: Props) {
  const { t } = useTranslation('mailboxes');
  const queries = useQueryClient();
  const [password, setPassword] = useState('');
  const [form, setForm] = useState({
    imap: found.imap ?? IMAP,
    smtp: found.smtp ?? SMTP,
    user: found.user ?? '',
    sent: '',
  });
  const set = (part: Partial<typeof form>) => setForm((before) => ({ ...before, ...part }));
  const isGuess = found.source === 'guess' || found.imap == null;
  const [isOpen, setOpen] = useState(isGuess);
  const hint = hintOf(found);
  const smtp = form.smtp.host.trim() === '' ? null : form.smtp;
  const connect = useMutation({
    mutationFn: async (): Promise<Checked> => {
      const user = form.user.trim();
      const checked = await check({
        address,
        imap: form.imap,
        smtp,
        ...(user === '' ? {} : { user }),
        password,
      });
      if (passes(checked, form.sent)) {
        await putMailbox(address, {
          imap: form.imap,
          ...(smtp === null ? {} : { smtp }),
          ...(found.provider == null ? {} : { provider: found.provider }),
          ...(user === '' ? {} : { user }),
          password,
          ...(form.sent === '' ? {} : { folders: { sent: form.sent } }),
        });
        await queries.invalidateQueries({ queryKey: mailboxesQuery.queryKey });
      }
      return checked;
    },
    onSuccess: (checked) => {
      if (passes(checked, form.sent)) {
        done();
      } else if (checked.steps.some((one) => !one.ok && one.step === 'folders')) {
        // Which folder it is can be chosen now.
        setOpen(true);
      }
    },
  });
  const checked = connect.data;
  const folders = (checked?.folders ?? []).filter((one) => one.role !== 'inbox').map((one) => one.name);
  const provider = found.name ?? undefined;
  const Chevron = isOpen ? IconChevronDown : IconChevronRight;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        connect.mutate();
      }}
    >
      <Stack gap="md">
        <Text size="sm" className="breaks">
          {provider === undefined
            ? isGuess
              ? t(found.imap == null ? 'found.none' : 'found.guess', { address })
              : t('found.servers', { address })
            : t('found.provider', { address, provider })}
        </Text>
        <div className={own.hint}>
          <Text size="sm">
            {t(`hint.${hint}`)}{' '}
            {found.help_url != null && (
              <Anchor size="sm" href={found.help_url} target="_blank" rel="noreferrer" underline="always">
                {t(isAppPassword(found) ? 'hintMake' : 'hintOpen')}
              </Anchor>
            )}
          </Text>
        </div>
        <PasswordInput
          size="md"
          label={t(isAppPassword(found) ? 'appPassword' : 'password')}
          autoComplete="off"
          required
          withAsterisk={false}
          visibilityToggleButtonProps={{ 'aria-label': t('showPassword') }}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          data-autofocus
          autoFocus
        />
        <Stack gap="xs">
          <Group>
            <Button
              variant="subtle"
              color="gray"
              size="compact-sm"
              leftSection={<Chevron size={15} aria-hidden />}
              aria-expanded={isOpen}
              onClick={() => setOpen(!isOpen)}
            >
              {t('advanced')}
            </Button>
            {!isOpen && (
              <Text size="xs" c="dimmed" className="breaks">
                {[form.imap.host, smtp?.host].filter(Boolean).join(' · ')}
              </Text>
            )}
          </Group>
          <Collapse expanded={isOpen}>
            <Stack gap="sm">
              <Server label={t('imap')} value={form.imap} onChange={(imap) => set({ imap })} kind="imap" />
              <Server
                label={t('smtp')}
                value={form.smtp}
                onChange={(next) => set({ smtp: next })}
                kind="smtp"
              />
              <TextInput
                size="xs"
                label={t('user')}
                placeholder={address}
                autoComplete="off"
                value={form.user}
                onChange={(event) => set({ user: event.currentTarget.value })}
              />
              {folders.length > 0 && (
                <FolderField
                  label={t('folder.sentOf')}
                  value={form.sent}
                  folders={folders}
                  onChange={(sent) => set({ sent })}
                />
              )}
            </Stack>
          </Collapse>
        </Stack>
        {connect.isError && <ProblemNote error={connect.error} />}
        {(connect.isPending || checked !== undefined) && (
          <Steps checked={connect.isPending ? undefined : checked} hasSmtp={smtp !== null} />
        )}
        <Group justify="space-between" wrap="nowrap" gap="xs">
          {back === undefined ? (
            <span />
          ) : (
            <Button variant="subtle" color="gray" onClick={back}>
              {t('otherAddress')}
            </Button>
          )}
          <Button type="submit" loading={connect.isPending} disabled={password === ''}>
            {checked === undefined || checked.ok ? t('checkAndConnect') : t('checkAgain')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** Whether it can be kept: a folder of sent mail that was not found may have been chosen. */
function passes({ ok, steps }: Checked, sent: string): boolean {
  return ok || (sent !== '' && steps.every((one) => one.ok || one.step === 'folders'));
}
