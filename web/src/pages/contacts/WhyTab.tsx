import { Alert, Anchor, Badge, Button, Group, Select, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { failureOf } from '../../api/problem';
import type { components } from '../../api/schema';
import { Empty } from '../../shared/DataList';
import { useFormat } from '../../shared/format';
import { ProblemNote } from '../../shared/ProblemNote';
import { textOf, useAddress } from '../../shared/useAddress';
import { MessageState } from '../documents/MessageState';
import { explainJourney, explainMessage, journeysQuery, loadMessages } from './api';
import classes from './Contact.module.css';
import { LedgerWords, useReason } from './LedgerWords';

/** Why somebody got a message, or did not: of a journey, or of one message. */
export function WhyTab({ id }: { id: string }) {
  const { t } = useTranslation('contacts');
  const [address, change] = useAddress();
  const journeys = useQuery(journeysQuery);
  const message = textOf(address.message);
  const journey =
    textOf(address.journey) ?? (message === undefined ? journeys.data?.items[0]?.id : undefined);
  return (
    <div className={classes.two}>
      <Stack gap="md">
        <Select
          label={t('whyOf')}
          searchable
          maw={420}
          data={(journeys.data?.items ?? []).map((one) => ({ value: one.id, label: one.name ?? one.id }))}
          placeholder={journeys.isPending ? '' : t('whyChoose')}
          value={message === undefined ? (journey ?? null) : null}
          onChange={(next) => change({ journey: next ?? undefined, message: undefined }, { push: true })}
        />
        {message !== undefined ? (
          <Answer key={message} id={id} message={message} />
        ) : journey !== undefined ? (
          <Answer key={journey} id={id} journey={journey} />
        ) : journeys.isError ? (
          <ProblemNote error={journeys.error} retry={() => journeys.refetch()} />
        ) : journeys.isPending ? (
          <Skeleton height={160} />
        ) : (
          <Empty title={t('noJourneys.title')} text={t('noJourneys.text')} />
        )}
      </Stack>
      <Messages id={id} chosen={message} />
    </div>
  );
}

type Explained = components['schemas']['JourneyExplained'] | components['schemas']['MessageExplained'];

type AnswerProps = { id: string; journey?: string; message?: string };

function Answer({ id, journey, message }: AnswerProps) {
  const { t, i18n } = useTranslation('contacts');
  const format = useFormat();
  const reason = useReason();
  const lang = i18n.language;
  const query = useQuery<Explained>({
    queryKey: ['contacts', 'why', id, journey, message, lang],
    queryFn: ({ signal }) =>
      message !== undefined
        ? explainMessage(message, lang, signal)
        : explainJourney(id, journey ?? '', lang, signal),
  });
  if (query.isPending) {
    return <Skeleton height={200} aria-hidden />;
  }
  if (query.isError) {
    return failureOf(query.error).status === 404 ? (
      <Empty title={t('whyGone')} />
    ) : (
      <ProblemNote error={query.error} retry={() => query.refetch()} />
    );
  }
  const told = query.data;
  const obstacles = ('standing' in told ? told.standing.obstacles : undefined) ?? [];
  const [first, ...others] = told.sentences;
  const shownJourney = told.journey ?? journey;
  return (
    <section className={classes.card} aria-label={t('tab.why')} aria-live="polite">
      <Stack gap="sm">
        {'fate' in told && (
          <Group gap="xs">
            <Badge variant="light" tt="none" radius="sm">
              {t('messageOf', {
                channel: typeof told.channel === 'string' ? t(`channel.${told.channel}`) : '',
                template: told.template ?? '',
              })}
            </Badge>
          </Group>
        )}
        {first !== undefined && (
          <Text fw={600} className="breaks">
            {first}
          </Text>
        )}
        {others.map((sentence, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: sentences follow each other and may repeat
          <Text key={index} size="sm" className="breaks">
            {sentence}
          </Text>
        ))}
        {obstacles.length > 0 && (
          <Alert variant="light" color="orange" title={t('obstacles')}>
            {obstacles.map((one) => (
              <Text key={`${one.channel}-${one.reason}`} size="sm">
                {[
                  typeof one.channel !== 'string' ? undefined : t(`channel.${one.channel}`),
                  reason(one.reason),
                  typeof one.until !== 'string' ? undefined : t('until', { at: format.moment(one.until) }),
                ]
                  .filter((part) => part !== undefined)
                  .join(' · ')}
              </Text>
            ))}
          </Alert>
        )}
        {shownJourney !== undefined && (
          <Anchor
            size="sm"
            renderRoot={(props) => <Link {...props} to="/journeys/$id" params={{ id: shownJourney }} />}
          >
            {t('toJourney')}
          </Anchor>
        )}
      </Stack>
      {told.lines.length > 0 && (
        <>
          <Title order={3} mt="lg" mb={4}>
            {t('whyLines')}
          </Title>
          {told.lines.map((line, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines have no name of their own
            <div key={index} className={classes.line}>
              <Text size="sm" c="dimmed" className="numbers">
                {format.moment(line.at)}
              </Text>
              <LedgerWords line={line} />
            </div>
          ))}
          {'more' in told && told.more && (
            <Text size="sm" c="dimmed" mt="xs">
              {t('whyMore')}
            </Text>
          )}
        </>
      )}
    </section>
  );
}

/** The contact's messages, to ask about one of them. */
function Messages({ id, chosen }: { id: string; chosen: string | undefined }) {
  const { t } = useTranslation('contacts');
  const format = useFormat();
  const [, change] = useAddress();
  const query = useQuery({
    queryKey: ['contacts', 'messages', id],
    queryFn: ({ signal }) => loadMessages(id, signal),
  });
  const messages =
    query.data?.items.toSorted((one, other) => other.created_at.localeCompare(one.created_at)) ?? [];
  return (
    <section className={classes.card} aria-label={t('messages')} aria-busy={query.isPending}>
      <Title order={2} mb="xs">
        {t('messages')}
      </Title>
      {query.isPending && <Skeleton height={120} />}
      {query.isError && <ProblemNote error={query.error} retry={() => query.refetch()} />}
      {query.isSuccess && messages.length === 0 && (
        <Text size="sm" c="dimmed">
          {t('messagesNone')}
        </Text>
      )}
      <Stack gap={2}>
        {messages.map((message) => (
          <Button
            key={message.id}
            variant={message.id === chosen ? 'light' : 'subtle'}
            color="gray"
            fullWidth
            h="auto"
            py={6}
            px={8}
            justify="flex-start"
            aria-pressed={message.id === chosen}
            styles={{
              inner: { width: '100%' },
              label: { flex: 1, whiteSpace: 'normal', textAlign: 'start' },
            }}
            onClick={() => change({ message: message.id, journey: undefined }, { push: true })}
          >
            <Group justify="space-between" wrap="nowrap" w="100%" gap="xs">
              <Stack gap={0} style={{ minWidth: 0 }}>
                <Text size="sm" truncate>
                  {message.template}
                </Text>
                <Text size="xs" c="dimmed">
                  {`${t(`channel.${message.channel}`)} · ${format.moment(message.created_at)}`}
                </Text>
              </Stack>
              <MessageState message={message} />
            </Group>
          </Button>
        ))}
      </Stack>
    </section>
  );
}
