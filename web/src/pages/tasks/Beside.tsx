import { Anchor, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { ProblemNote } from '../../shared/ProblemNote';
import { contactQuery } from '../contacts/api';
import { ChannelBadges } from '../contacts/ChannelBadges';
import { companyOf, nameOf, trait } from '../contacts/people';
import { Timeline } from '../contacts/TimelineTab';
import type { Task } from '../documents/api';

/** Whom a task is about, with what happened, so that a call needs no other page. */
export function Beside({ task }: { task: Task }) {
  const { t } = useTranslation('tasks');
  const query = useQuery(contactQuery(task.contact));
  if (query.isError) {
    return <ProblemNote error={query.error} retry={() => query.refetch()} />;
  }
  if (query.data === undefined) {
    return <Skeleton height={240} aria-hidden />;
  }
  const contact = query.data;
  const { traits } = contact;
  const phone = trait(traits, 'phone');
  const email = trait(traits, 'email');
  const document = task.subject?.startsWith('document:') ? task.subject.slice(9) : undefined;
  return (
    <Stack gap="sm">
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <Stack gap={0} style={{ minWidth: 0 }}>
          <Title order={2} className="breaks" lineClamp={2}>
            <Anchor
              inherit
              c="inherit"
              renderRoot={(props) => <Link {...props} to="/contacts/$id" params={{ id: contact.id }} />}
            >
              {nameOf(contact)}
            </Anchor>
          </Title>
          <Text size="sm" c="dimmed" className="breaks" lineClamp={2}>
            {companyOf(traits)}
          </Text>
        </Stack>
      </Group>
      <Group gap="md">
        {phone !== undefined && (
          <Anchor size="sm" fw={600} href={`tel:${phone.replaceAll(/[^+\d]/g, '')}`}>
            {phone}
          </Anchor>
        )}
        {email !== undefined && (
          <Anchor size="sm" href={`mailto:${encodeURIComponent(email)}`} className="breaks">
            {email}
          </Anchor>
        )}
      </Group>
      <ChannelBadges contact={contact} all />
      {document !== undefined && (
        <Anchor
          size="sm"
          renderRoot={(props) => (
            <Link {...props} to="/documents/$contact/$document" params={{ contact: contact.id, document }} />
          )}
        >
          {t('toDocument')}
        </Anchor>
      )}
      <Title order={3} mt="xs">
        {t('history')}
      </Title>
      <Timeline id={contact.id} />
    </Stack>
  );
}
