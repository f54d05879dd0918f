import { Alert, Anchor, Badge, Button, Group, Stack, Text, Title } from '@mantine/core';
import { IconArrowsJoin2 } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ProblemNote } from '../../shared/ProblemNote';
import { tellDone, tellFailure } from '../../shared/tell';
import { useMay, useSession } from '../../shell/useSession';
import { contactQuery, loadDuplicates, type Pair, unmerge } from './api';
import classes from './Contact.module.css';
import { MergeModal } from './MergeModal';
import { TraitsTable } from './ObjectsTab';
import { type Contact, nameOf } from './people';

/** By which names somebody is known, who they turned out to be, and who they might be. */
export function IdentitiesTab({ contact }: { contact: Contact }) {
  const { t } = useTranslation('contacts');
  const may = useMay();
  const mine = useSession();
  const mayMerge = may('merge') && mine?.sees_everyone !== false;
  return (
    <div className={classes.two}>
      <Stack gap="lg">
        <Identities contact={contact} />
        {(contact.absorbed ?? []).length > 0 && <Absorbed contact={contact} mayMerge={mayMerge} />}
        {mayMerge && <Duplicates contact={contact} />}
      </Stack>
      <section className={classes.card} aria-label={t('traits')}>
        <Title order={2} mb="xs">
          {t('traits')}
        </Title>
        <TraitsTable traits={contact.traits} />
      </section>
    </div>
  );
}

/** Names that have words; a server that is newer may know more kinds. */
const KINDS = ['user_id', 'email', 'phone', 'telegram', 'whatsapp', 'anonymous_id'] as const;

function Identities({ contact }: { contact: Contact }) {
  const { t } = useTranslation('contacts');
  const known = (contact.identities ?? []).map(({ kind, value }) => ({
    kind: KINDS.find((one) => one === kind) ?? 'other',
    value,
  }));
  return (
    <section className={classes.card} aria-label={t('identities')}>
      <Title order={2} mb="xs">
        {t('identities')}
      </Title>
      {[...known, { kind: 'own' as const, value: contact.id }].map(({ kind, value }) => (
        <div key={`${kind} ${value}`} className={classes.line}>
          <Text size="sm" c="dimmed">
            {t(`identity.${kind}`)}
          </Text>
          <Text size="sm" className="breaks">
            {value}
          </Text>
        </div>
      ))}
    </section>
  );
}

/** Contacts that turned out to be this one; within a day it can be undone. */
function Absorbed({ contact, mayMerge }: { contact: Contact; mayMerge: boolean }) {
  const { t } = useTranslation('contacts');
  const queries = useQueryClient();
  const [busy, setBusy] = useState<string>();
  const undo = async (id: string) => {
    setBusy(id);
    try {
      await unmerge(id);
      tellDone(t('unmerged'));
    } catch (error) {
      tellFailure(error);
    } finally {
      setBusy(undefined);
      queries.invalidateQueries({ queryKey: ['contacts'] });
    }
  };
  return (
    <section className={classes.card} aria-label={t('absorbed')}>
      <Title order={2} mb="xs">
        {t('absorbed')}
      </Title>
      <Stack gap="xs">
        {contact.absorbed?.map((id) => (
          <Group key={id} justify="space-between">
            <Other id={id} />
            {mayMerge && (
              <Button size="compact-sm" variant="default" loading={busy === id} onClick={() => undo(id)}>
                {t('unmerge')}
              </Button>
            )}
          </Group>
        ))}
      </Stack>
      <Text size="xs" c="dimmed" mt="xs">
        {t('unmergeHint')}
      </Text>
    </section>
  );
}

function Other({ id }: { id: string }) {
  const { data } = useQuery(contactQuery(id));
  return (
    <Anchor
      size="sm"
      className="breaks"
      renderRoot={(props) => (
        <Link {...props} to="/contacts/$id" params={{ id }} search={{ tab: 'identities' }} />
      )}
    >
      {data === undefined ? id : nameOf(data)}
    </Anchor>
  );
}

/** Contacts that may be the same person; and any other that somebody names. */
function Duplicates({ contact }: { contact: Contact }) {
  const { t, i18n } = useTranslation('contacts');
  const [merging, setMerging] = useState<string | null>();
  const query = useQuery({
    queryKey: ['contacts', 'duplicates'],
    queryFn: ({ signal }) => loadDuplicates(signal),
  });
  const pairs = query.data?.items.filter((pair) => pair.contacts.includes(contact.id)) ?? [];
  const other = (pair: Pair) => pair.contacts.find((id) => id !== contact.id) ?? '';
  return (
    <section className={classes.card} aria-label={t('duplicates')}>
      <Group justify="space-between" mb="xs">
        <Title order={2}>{t('duplicates')}</Title>
        <Button
          size="xs"
          variant="light"
          leftSection={<IconArrowsJoin2 size={14} aria-hidden />}
          onClick={() => setMerging(null)}
        >
          {t('mergeOther')}
        </Button>
      </Group>
      {query.isError && <ProblemNote error={query.error} retry={() => query.refetch()} />}
      {query.isSuccess && pairs.length === 0 && (
        <Text size="sm" c="dimmed">
          {t('duplicatesNone')}
        </Text>
      )}
      <Stack gap="xs">
        {pairs.map((pair) => (
          <Alert key={other(pair)} color="yellow" variant="light" p="sm">
            <Group justify="space-between">
              <Stack gap={2}>
                <Other id={other(pair)} />
                <Badge size="sm" variant="transparent" color="gray" tt="none" px={0}>
                  {i18n.exists(`apart.${pair.reason}`, { ns: 'contacts' })
                    ? t(`apart.${pair.reason}`)
                    : pair.detail}
                </Badge>
              </Stack>
              <Button size="compact-sm" onClick={() => setMerging(other(pair))}>
                {t('merge')}
              </Button>
            </Group>
          </Alert>
        ))}
      </Stack>
      {merging !== undefined && (
        <MergeModal contact={contact} other={merging ?? undefined} close={() => setMerging(undefined)} />
      )}
    </section>
  );
}
