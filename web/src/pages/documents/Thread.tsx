import { Anchor, Group, Text, Timeline } from '@mantine/core';
import { IconBrandTelegram, IconFileInvoice, IconMail, IconMessage, IconPhone } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../shared/format';
import { useReason } from '../contacts/LedgerWords';
import { type DocumentRow, factsOf, type Message, whenOf } from './api';
import { MessageState } from './MessageState';
import { ReadMessage } from './ReadMessage';

const ICONS: Record<string, typeof IconMail> = {
  email: IconMail,
  sms: IconMessage,
  whatsapp: IconMessage,
  telegram: IconBrandTelegram,
  voice: IconPhone,
};

type Props = { document: DocumentRow; messages: Message[]; contact: string };

/** The document and what was written about it, in order. */
export function Thread({ document, messages, contact }: Props) {
  const { t } = useTranslation('documents');
  const format = useFormat();
  const reason = useReason();
  const facts = factsOf(document);
  const ordered = messages.toSorted((one, other) => one.created_at.localeCompare(other.created_at));
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
      {ordered.map((message) => {
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
