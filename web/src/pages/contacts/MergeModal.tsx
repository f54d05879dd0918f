import { Anchor, Button, Group, List, Modal, Select, Stack, Table, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../shared/format';
import { ProblemNote } from '../../shared/ProblemNote';
import { tellUndoable } from '../../shared/tell';
import { contactQuery, loadContacts, merge, unmerge } from './api';
import { type Contact, companyOf, nameOf, trait } from './people';

const TYPING_MS = 250;
const CHOICES = 10;
const COMPARED = ['email', 'phone', 'owner', 'language'] as const;

type Props = {
  contact: Contact;
  /** Who turned out to be the same; without it a person is looked for. */
  other: string | undefined;
  close: () => void;
};

/** Makes one contact of two: shows both beside each other and what will happen, before it does. */
export function MergeModal({ contact, other, close }: Props) {
  const { t } = useTranslation('contacts');
  const format = useFormat();
  const queries = useQueryClient();
  const [chosen, setChosen] = useState(other);
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const absorbed = useQuery({ ...contactQuery(chosen ?? ''), enabled: chosen !== undefined });
  const run = async () => {
    if (chosen === undefined) {
      return;
    }
    setBusy(true);
    setError(undefined);
    try {
      const done = await merge(contact.id, chosen);
      queries.invalidateQueries({ queryKey: ['contacts'] });
      tellUndoable(
        done.state === 'waiting' ? t('mergeWaits') : t('merged', { until: format.moment(done.undo_until) }),
        async () => {
          await unmerge(done.absorbed);
          queries.invalidateQueries({ queryKey: ['contacts'] });
        },
      );
      close();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal
      closeButtonProps={{ 'aria-label': t('close') }}
      opened
      onClose={close}
      title={t('mergeTitle')}
      size="lg"
      centered
    >
      <Stack>
        {other === undefined && <Finder except={contact.id} choose={setChosen} />}
        {absorbed.isError && <ProblemNote error={absorbed.error} retry={() => absorbed.refetch()} />}
        {absorbed.data !== undefined && chosen !== undefined && (
          <>
            <Beside survivor={contact} absorbed={absorbed.data} />
            <Text size="sm" fw={600}>
              {t('mergeWhat')}
            </Text>
            <List size="sm" spacing={2}>
              <List.Item>{t('mergeWhat1')}</List.Item>
              <List.Item>{t('mergeWhat2')}</List.Item>
              <List.Item>{t('mergeWhat3')}</List.Item>
              <List.Item>{t('mergeWhat4')}</List.Item>
            </List>
          </>
        )}
        {error !== undefined && <ProblemNote error={error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t('cancel')}
          </Button>
          <Button
            onClick={run}
            loading={isBusy}
            disabled={absorbed.data === undefined || chosen === undefined}
          >
            {t('merge')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function Finder({ except, choose }: { except: string; choose: (id: string | undefined) => void }) {
  const { t } = useTranslation('contacts');
  const [text, setText] = useState('');
  const [asked] = useDebouncedValue(text.trim(), TYPING_MS);
  const { data } = useQuery({
    queryKey: ['contacts', 'find', asked],
    queryFn: ({ signal }) => loadContacts({ search: asked, limit: CHOICES }, undefined, signal),
    enabled: asked !== '',
  });
  const found = (data?.items ?? []).filter((one) => one.id !== except);
  return (
    <Select
      data-autofocus
      label={t('mergeFind')}
      placeholder={t('search')}
      searchable
      searchValue={text}
      onSearchChange={setText}
      filter={({ options }) => options}
      nothingFoundMessage={asked === '' ? undefined : t('noneFound.title')}
      data={found.map((one) => ({
        value: one.id,
        label: [nameOf(one), trait(one.traits, 'email')].filter(Boolean).join(' · '),
      }))}
      onChange={(id) => choose(id ?? undefined)}
    />
  );
}

function Beside({ survivor, absorbed }: { survivor: Contact; absorbed: Contact }) {
  const { t } = useTranslation('contacts');
  const format = useFormat();
  const rows: [string, (one: Contact) => string][] = [
    [t('name'), nameOf],
    [t('company'), (one) => companyOf(one.traits) ?? '–'],
    ...COMPARED.map((name): [string, (one: Contact) => string] => [
      t(`compared.${name}`),
      (one) => trait(one.traits, name) ?? '–',
    ]),
    [t('since'), (one) => format.day(one.created_at)],
  ];
  return (
    <Table verticalSpacing={4} layout="fixed">
      <Table.Thead>
        <Table.Tr>
          <Table.Th w="28%" />
          <Table.Th>{t('survivor')}</Table.Th>
          <Table.Th>
            <Anchor href={`/contacts/${absorbed.id}`} target="_blank" size="sm">
              {t('absorbedOne')}
            </Anchor>
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map(([name, value]) => (
          <Table.Tr key={name}>
            <Table.Th fw={400} c="dimmed">
              {name}
            </Table.Th>
            <Table.Td className="breaks">
              <Text size="sm" lineClamp={3}>
                {value(survivor)}
              </Text>
            </Table.Td>
            <Table.Td className="breaks">
              <Text size="sm" lineClamp={3}>
                {value(absorbed)}
              </Text>
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
