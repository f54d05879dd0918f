import { Anchor, Modal, Skeleton, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { MailFrame } from '../../shared/MailFrame';
import { ProblemNote } from '../../shared/ProblemNote';
import { messageQuery } from './api';

/** Opens a message to read it. */
export function ReadMessage({ id }: { id: string }) {
  const { t } = useTranslation('documents');
  const [opened, setOpened] = useState(false);
  return (
    <>
      <Anchor component="button" type="button" size="xs" onClick={() => setOpened(true)}>
        {t('read')}
      </Anchor>
      {opened && (
        <Modal
          closeButtonProps={{ 'aria-label': t('close') }}
          opened
          onClose={() => setOpened(false)}
          title={t('readTitle')}
          size="lg"
          centered
        >
          <Letter id={id} />
        </Modal>
      )}
    </>
  );
}

function Letter({ id }: { id: string }) {
  const { t } = useTranslation('documents');
  const query = useQuery(messageQuery(id));
  if (query.isPending) {
    return <Skeleton height={240} aria-hidden />;
  }
  if (query.isError) {
    return <ProblemNote error={query.error} retry={() => query.refetch()} />;
  }
  const { from, to, subject, text, html, sent } = query.data;
  return (
    <Stack gap="sm">
      <Text size="xs" c="dimmed" className="breaks">
        {[from, to.join(', ')].filter(Boolean).join(' → ')}
      </Text>
      <Text fw={600} className="breaks">
        {subject}
      </Text>
      {typeof html === 'string' ? (
        <MailFrame html={html} title={t('readTitle')} />
      ) : (
        <Text size="sm" component="div" className="breaks" style={{ whiteSpace: 'pre-wrap' }}>
          {text.trimEnd()}
        </Text>
      )}
      {!sent && (
        <Text size="xs" c="dimmed">
          {t('madeAnew')}
        </Text>
      )}
    </Stack>
  );
}
