import { Button, Group, Modal, Progress, Stack, Text } from '@mantine/core';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../shared/format';
import { ProblemNote } from '../../shared/ProblemNote';
import { loadQuestions, sendAnswers } from './api';
import { draftOf } from './drafts';
import { ANSWERS_MAX, type Said, type Word } from './outbox';

export type Bulk = {
  word: Word;
  /** Which; without it everything that waits, read to its end. */
  ids?: string[];
  /** How many that is, as far as it is known. */
  count: number;
};

type Props = {
  bulk: Bulk;
  gone: ReadonlySet<string>;
  close: () => void;
  /** Told after each part. */
  answered: (ids: string[]) => void;
};

type Stage =
  | { at: 'asking' }
  | { at: 'reading'; found: number }
  | { at: 'sending'; sent: number; of: number }
  | { at: 'done'; sent: number; before: number; stopped: boolean }
  | { at: 'failed'; error: unknown; sent: number };

/** Answers very many at once: says how many first, shows how far it is, and can be stopped. */
export function BulkAll({ bulk, gone, close, answered }: Props) {
  const { t } = useTranslation('approvals');
  const format = useFormat();
  const [stage, setStage] = useState<Stage>({ at: 'asking' });
  const stopped = useRef(false);
  const running = stage.at === 'reading' || stage.at === 'sending';

  const gather = async (): Promise<string[]> => {
    if (bulk.ids !== undefined) {
      return bulk.ids;
    }
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await loadQuestions(cursor, new AbortController().signal);
      ids.push(...page.items.map((one) => one.id).filter((id) => !gone.has(id)));
      setStage({ at: 'reading', found: ids.length });
      cursor = page.next ?? undefined;
    } while (cursor !== undefined && !stopped.current);
    return ids;
  };
  const run = async () => {
    stopped.current = false;
    let sent = 0;
    let before = 0;
    try {
      setStage({ at: 'reading', found: 0 });
      const ids = await gather();
      for (let from = 0; from < ids.length && !stopped.current; from += ANSWERS_MAX) {
        setStage({ at: 'sending', sent, of: ids.length });
        const some = ids.slice(from, from + ANSWERS_MAX);
        const told = await sendAnswers(
          some.map((id) => saying(id, bulk.word)),
          false,
        );
        answered(some);
        sent += told.filter((one) => one.done).length;
        before += told.filter((one) => !one.done).length;
      }
      setStage({ at: 'done', sent, before, stopped: stopped.current });
    } catch (error) {
      setStage({ at: 'failed', error, sent });
    }
  };
  const stop = () => {
    stopped.current = true;
  };

  return (
    <Modal
      closeButtonProps={{ 'aria-label': t('bulk.close') }}
      opened
      onClose={running ? stop : close}
      title={t(`bulk.title.${bulk.word}`)}
      closeOnClickOutside={!running}
      withCloseButton={!running}
      centered
    >
      <Stack>
        {stage.at === 'asking' && (
          <>
            <Text size="sm">
              {t(`bulk.text.${bulk.word}`, { count: bulk.count, number: format.number(bulk.count) })}
            </Text>
            <Group justify="flex-end">
              <Button variant="default" onClick={close}>
                {t('bulk.cancel')}
              </Button>
              <Button onClick={run} data-autofocus>
                {t(`bulk.go.${bulk.word}`, { count: bulk.count, number: format.number(bulk.count) })}
              </Button>
            </Group>
          </>
        )}
        {running && (
          <>
            <Text size="sm" role="status">
              {stage.at === 'reading'
                ? t('bulk.reading', { number: format.number(stage.found) })
                : t('bulk.sending', { sent: format.number(stage.sent), of: format.number(stage.of) })}
            </Text>
            <Progress
              value={stage.at === 'sending' ? (100 * stage.sent) / Math.max(1, stage.of) : 100}
              animated={stage.at === 'reading'}
              aria-label={t('bulk.progress')}
            />
            <Group justify="flex-end">
              <Button variant="default" onClick={stop}>
                {t('bulk.stop')}
              </Button>
            </Group>
          </>
        )}
        {stage.at === 'done' && (
          <>
            <Text size="sm" role="status">
              {t(stage.stopped ? 'bulk.stopped' : 'bulk.done', {
                count: stage.sent,
                number: format.number(stage.sent),
              })}
            </Text>
            {stage.before > 0 && <Text size="sm">{t('before', { count: stage.before })}</Text>}
            <Group justify="flex-end">
              <Button onClick={close} data-autofocus>
                {t('bulk.close')}
              </Button>
            </Group>
          </>
        )}
        {stage.at === 'failed' && (
          <>
            {stage.sent > 0 && (
              <Text size="sm">
                {t('bulk.stopped', { count: stage.sent, number: format.number(stage.sent) })}
              </Text>
            )}
            <ProblemNote error={stage.error} retry={run} />
          </>
        )}
      </Stack>
    </Modal>
  );
}

/** An answer; what somebody rewrote goes as it was rewritten. */
export function saying(id: string, answer: Word): Said {
  const text = answer === 'approve' ? draftOf(id) : undefined;
  return text === undefined ? { id, answer } : { id, answer, text };
}
