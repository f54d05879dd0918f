import { Anchor, Group, Text, Timeline } from '@mantine/core';
import {
  IconArrowBackUp,
  IconBrandTelegram,
  IconFileInvoice,
  IconMail,
  IconMessage,
  IconPhone,
} from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../shared/format';
import { useReason } from '../contacts/LedgerWords';
import { type DocumentRow, factsOf, type Message, type Reply, whenOf } from './api';
import { MessageState } from './MessageState';
import { ReadMessage } from './ReadMessage';
import { ReplyBody, ReplyTitle } from './ReplyItem';

const ICONS: Record<string, typeof IconMail> = {
  email: IconMail,
  sms: IconMessage,
  whatsapp: IconMessage,
  telegram: IconBrandTelegram,
  voice: IconPhone,
};

type Props = { document: DocumentRow; messages: Message[]; replies: Reply[]; contact: string };

/** What stands in the thread, by when it came there. */
type Item = { at: string; message: Message; reply?: never } | { at: string; reply: Reply; message?: never };

/** The document and what was written about it, in order. */
export function Thread({ document, messages, replies, contact }: Props) {
  const { t } = useTranslation('documents');
  const format = useFormat();
  const reason = useReason();
  const facts = factsOf(document);
  const items: Item[] = [
    ...messages.map((message) => ({ at: message.created_at, message })),
    ...replies.map((reply) => ({ at: reply.at, reply })),
  ];
  const ordered = items.toSorted((one, other) => Date.parse(one.at) - Date.parse(other.at));
  return (
    <Timeline bulletSize={26} lineWidth={2} active={ordered.length}>
      <Timeline.Item
        bullet={<IconFileInvoice size={15} aria-hidden />}
        title={
          <Text size="sm" fw={500} className="breaks">
            {t('sentDocument')}
          </Text>
        }
      >
        <Text size="xs" c="dimmed">
          {format.moment(facts.sentAt ?? document.created_at)}
        </Text>
        {facts.subject !== undefined && (
          <Text size="sm" className="breaks" lineClamp={3}>
            {facts.subject}
          </Text>
        )}
        {facts.to !== undefined && (
          <Text size="xs" c="dimmed" className="breaks">
            {[facts.mailbox, facts.to].filter(Boolean).join(' → ')}
          </Text>
        )}
      </Timeline.Item>
      {ordered.map(({ at, message, reply }) => {
        if (message === undefined) {
          return (
            <Timeline.Item
              key={`reply ${at}`}
              color="grape"
              bullet={<IconArrowBackUp size={15} aria-hidden />}
              title={<ReplyTitle reply={reply} />}
            >
              <ReplyBody reply={reply} />
            </Timeline.Item>
          );
        }
        const Icon = ICONS[message.channel] ?? IconMail;
        return (
          <Timeline.Item
            key={message.id}
            bullet={<Icon size={15} aria-hidden />}
            title={
              <Group gap="xs">
                <Text size="sm" fw={500} className="breaks">
                  {message.template}
                </Text>
                <MessageState message={message} />
              </Group>
            }
          >
            <Text size="xs" c="dimmed">
              {format.moment(whenOf(message))}
            </Text>
            {message.text !== undefined && (
              <Text size="sm" className="breaks" lineClamp={6} style={{ whiteSpace: 'pre-wrap' }}>
                {message.text}
              </Text>
            )}
            <Group gap={6}>
              {message.reason !== undefined && (
                <Text size="sm" c="dimmed" className="breaks">
                  {reason(message.reason)}
                </Text>
              )}
              <ReadMessage id={message.id} />
              <Anchor
                size="xs"
                renderRoot={(props) => (
                  <Link
                    {...props}
                    to="/contacts/$id"
                    params={{ id: contact }}
                    search={{ tab: 'why', message: message.id }}
                  />
                )}
              >
                {t('why')}
              </Anchor>
            </Group>
          </Timeline.Item>
        );
      })}
    </Timeline>
  );
}
