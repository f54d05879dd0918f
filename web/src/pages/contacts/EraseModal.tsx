import { Alert, Button, Group, List, Loader, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ProblemNote } from '../../shared/ProblemNote';
import { erase, loadErasure } from './api';
import { type Contact, nameOf, trait } from './people';

const ASK_AGAIN_MS = 1_000;

/** Forgetting somebody cannot be undone: their address, or name, is typed first. */
export function EraseModal({ contact, close }: { contact: Contact; close: () => void }) {
  const { t } = useTranslation('contacts');
  const queries = useQueryClient();
  const [typed, setTyped] = useState('');
  const [asked, setAsked] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const word = trait(contact.traits, 'email') ?? nameOf(contact).slice(0, 60);
  const receipt = useQuery({
    queryKey: ['contacts', 'erasure', contact.id],
    queryFn: ({ signal }) => loadErasure(contact.id, signal),
    enabled: asked,
    refetchInterval: (query) => (query.state.data?.done === true ? false : ASK_AGAIN_MS),
  });
  const run = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await erase(contact.id);
      setAsked(true);
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  const leave = () => {
    close();
    if (asked) {
      queries.invalidateQueries();
    }
  };
  return (
    <Modal
      closeButtonProps={{ 'aria-label': t('close') }}
      opened
      onClose={leave}
      title={t('eraseTitle')}
      centered
    >
      {asked ? (
        <Stack>
          {receipt.data?.done === true ? (
            <Text size="sm" role="status">
              {t('eraseDone')}
            </Text>
          ) : (
            <Group role="status">
              <Loader size="sm" aria-hidden />
              <Text size="sm">{t('eraseRuns')}</Text>
            </Group>
          )}
          <Group justify="flex-end">
            <Button onClick={leave}>{t('close')}</Button>
          </Group>
        </Stack>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (typed.trim() === word) {
              run();
            }
          }}
        >
          <Stack>
            <Text size="sm" className="breaks">
              {t('eraseText')}
            </Text>
            <List size="sm" spacing={2}>
              <List.Item>{t('eraseWhat1')}</List.Item>
              <List.Item>{t('eraseWhat2')}</List.Item>
              <List.Item>{t('eraseWhat3')}</List.Item>
            </List>
            <Alert color="red" variant="light">
              {t('eraseFinal')}
            </Alert>
            <TextInput
              data-autofocus
              autoComplete="off"
              label={t('eraseType')}
              description={
                <Text span size="xs" ff="monospace" className="breaks">
                  {word}
                </Text>
              }
              value={typed}
              onChange={(event) => setTyped(event.currentTarget.value)}
            />
            {error !== undefined && <ProblemNote error={error} />}
            <Group justify="flex-end">
              <Button variant="default" onClick={close}>
                {t('cancel')}
              </Button>
              <Button type="submit" color="red" loading={isBusy} disabled={typed.trim() !== word}>
                {t('eraseGo')}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}
