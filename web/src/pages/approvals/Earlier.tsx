import { Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../shared/format';
import { documentQuery, whenOf } from '../documents/api';
import { MessageState } from '../documents/MessageState';

/** What went to the client about the same document before; nothing when that cannot be read. */
export function Earlier({
  contact,
  document,
  except,
}: {
  contact: string;
  document: string;
  except: string;
}) {
  const { t, i18n } = useTranslation('approvals');
  const format = useFormat();
  const { data } = useQuery(documentQuery(contact, document, i18n.language));
  const messages = data?.messages.filter((one) => one.id !== except) ?? [];
  if (messages.length === 0) {
    return null;
  }
  return (
    <Stack gap={6} mt="xl">
      <Text size="xs" fw={600} c="dimmed" component="h3">
        {t('earlier')}
      </Text>
      {messages.map((one) => (
        <Group key={one.id} gap="xs" wrap="nowrap">
          <Text size="sm" c="dimmed" className="numbers" style={{ whiteSpace: 'nowrap' }}>
            {format.day(whenOf(one))}
          </Text>
          <Text size="sm" truncate style={{ flex: 1, minWidth: 0 }}>
            {one.template}
          </Text>
          <MessageState message={one} />
        </Group>
      ))}
    </Stack>
  );
}
