import { Button, Group, Select, Stack, TagsInput, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type KeyboardEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ProblemNote } from '../../shared/ProblemNote';
import { tellDone } from '../../shared/tell';
import { usersQuery } from '../settings/calls';
import { Dialog } from '../settings/Dialog';
import { fieldProblems, otherProblems, problemOf } from '../settings/edit/problems';
import { type Mailbox, mailboxesQuery, putMailbox } from './calls';
import { useRights } from './state';

const ADDRESS = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/** The name beside the address, other addresses that arrive here, who else works with it, where sent mail lies. */
export function Edit({ box, close }: { box: Mailbox; close: () => void }) {
  const { t } = useTranslation('mailboxes');
  const { any } = useRights();
  const queries = useQueryClient();
  const users = useQuery(usersQuery);
  const [form, setForm] = useState({
    name: box.name ?? '',
    aliases: box.aliases ?? [],
    members: box.members ?? [],
    sent: box.sent_folder ?? '',
  });
  const set = (part: Partial<typeof form>) => setForm((before) => ({ ...before, ...part }));
  const wrongAlias = [...form.aliases, ...form.members].find((one) => !ADDRESS.test(one));
  const save = useMutation({
    mutationFn: () =>
      putMailbox(
        box.address,
        {
          name: form.name.trim(),
          aliases: form.aliases,
          members: form.members,
          folders: form.sent.trim() === '' ? {} : { sent: form.sent.trim() },
        },
        box.revision,
      ),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: mailboxesQuery.queryKey });
      tellDone(t('saved', { address: box.address }));
      close();
    },
  });
  const problems = save.isError ? fieldProblems(save.error, 'mailbox') : [];
  const others = otherProblems(problems, ['name', 'aliases', 'members', 'folders']);
  const people = (users.data?.items ?? [])
    .filter((one) => one.address.toLowerCase() !== box.address.toLowerCase())
    .map((one) => one.address);
  const press = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      save.mutate();
    }
  };
  return (
    <Dialog title={box.address} close={close}>
      <form
        onKeyDown={press}
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <Stack gap="sm">
          {save.isError && problems.length === 0 && <ProblemNote error={save.error} />}
          {others.map((one) => (
            <Text key={one} size="sm" c="var(--relance-late)" role="alert">
              {one}
            </Text>
          ))}
          <TextInput
            label={t('name')}
            description={t('nameText')}
            value={form.name}
            onChange={(event) => set({ name: event.currentTarget.value })}
            error={problemOf(problems, 'name')}
            data-autofocus
          />
          <TagsInput
            label={t('aliases')}
            description={t('aliasesText')}
            splitChars={[',', ' ', ';']}
            acceptValueOnBlur
            value={form.aliases}
            onChange={(aliases) => set({ aliases })}
            error={
              form.aliases.some((one) => one === wrongAlias)
                ? t('wrongAddress', { address: wrongAlias })
                : problemOf(problems, 'aliases')
            }
          />
          {any && (
            <TagsInput
              label={t('members')}
              description={t('membersText')}
              data={people}
              splitChars={[',', ' ', ';']}
              acceptValueOnBlur
              value={form.members}
              onChange={(members) => set({ members })}
              error={
                form.members.some((one) => one === wrongAlias)
                  ? t('wrongAddress', { address: wrongAlias })
                  : problemOf(problems, 'members')
              }
            />
          )}
          <TextInput
            label={t('folder.sentOf')}
            description={t('folder.sentText')}
            placeholder={box.folders?.sent ?? t('folder.found')}
            value={form.sent}
            onChange={(event) => set({ sent: event.currentTarget.value })}
            error={problemOf(problems, 'folders')}
          />
          <Group justify="flex-end" gap="xs" mt="xs">
            <Button variant="default" onClick={close}>
              {t('shell:cancel')}
            </Button>
            <Button type="submit" loading={save.isPending} disabled={wrongAlias !== undefined}>
              {t('shell:save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}

/** A folder out of those that are there; without a list its name is typed. */
export function FolderField({
  label,
  value,
  folders,
  onChange,
}: {
  label: string;
  value: string;
  folders: string[];
  onChange: (folder: string) => void;
}) {
  const { t } = useTranslation('mailboxes');
  return (
    <Select
      size="xs"
      label={label}
      placeholder={t('folder.found')}
      data={[...new Set([...folders, ...(value === '' ? [] : [value])])]}
      value={value === '' ? null : value}
      searchable
      clearable
      onChange={(folder) => onChange(folder ?? '')}
    />
  );
}
