import { Badge, Group, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../shared/format';
import type { Reply } from './api';

/** Intents that are worth a word; of others the text says enough. */
const TOLD = ['paid', 'will_pay', 'not_interested', 'later', 'question', 'unsubscribe'];

/** Who answered, and what the answer seems to want. */
export function ReplyTitle({ reply }: { reply: Reply }) {
  const { t } = useTranslation('documents');
  const format = useFormat();
  const day = reply.date === null ? undefined : format.day(reply.date);
  const wants = reply.intent !== null && TOLD.includes(reply.intent) ? reply.intent : undefined;
  const words = reply.automatic
    ? day !== undefined && t('reply.back', { day })
    : wants !== undefined && [t(`reply.intent.${wants}`), day].filter(Boolean).join(', ');
  return (
    <Group gap="xs">
      <Text size="sm" fw={500} className="breaks">
        {t(reply.automatic ? 'reply.automatic' : 'reply.title')}
      </Text>
      {words && (
        <Badge variant="light" color={reply.automatic ? 'gray' : 'grape'} title={t('reply.suggestion')}>
          {words}
        </Badge>
      )}
    </Group>
  );
}

/** When, from whom, and what is new in it. */
export function ReplyBody({ reply }: { reply: Reply }) {
  const format = useFormat();
  return (
    <>
      <Text size="xs" c="dimmed" className="breaks">
        {[format.moment(reply.at), reply.from].filter(Boolean).join(' · ')}
      </Text>
      {reply.text !== null && (
        <Text size="sm" className="breaks" lineClamp={8} style={{ whiteSpace: 'pre-wrap' }}>
          {reply.text}
        </Text>
      )}
    </>
  );
}
