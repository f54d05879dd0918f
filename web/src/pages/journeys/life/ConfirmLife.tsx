import { Button, Group, Modal, Radio, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { queries } from '../../../api/queries';
import { useFormat } from '../../../shared/format';
import { tellDone, tellFailure, tellUndoable } from '../../../shared/tell';
import { change, type JourneySummary } from '../calls';

export type Life = 'pause' | 'resume' | 'retire' | 'archive';

const OVERDUE = ['late', 'skip', 'shift'] as const;

type Props = { shown: JourneySummary; life: Life; close: () => void };

/** Says what becomes of the people in a journey before it is done. */
export function ConfirmLife({ shown, life, close }: Props) {
  const { t } = useTranslation('journeys');
  const format = useFormat();
  const [overdue, setOverdue] = useState<string>('late');
  const [isBusy, setIsBusy] = useState(false);
  const name = shown.name ?? shown.id;
  const people = { count: shown.live_runs, runs: format.number(shown.live_runs) };
  const run = async () => {
    setIsBusy(true);
    try {
      await change(shown.id, life, life === 'resume' ? { overdue } : undefined);
      await queries.invalidateQueries({ queryKey: ['journeys'] });
      if (life === 'pause') {
        tellUndoable(t('life.done.pause', { name }), async () => {
          await change(shown.id, 'resume', { overdue: 'late' });
          await queries.invalidateQueries({ queryKey: ['journeys'] });
        });
      } else {
        tellDone(t(`life.done.${life}`, { name }));
      }
      close();
    } catch (error) {
      tellFailure(error);
      setIsBusy(false);
    }
  };
  return (
    <Modal opened onClose={close} title={t(`life.title.${life}`, { name })} centered>
      <Stack>
        <Text size="sm">
          {t('life.people', people)} {t(`life.text.${life}`)}
        </Text>
        {life === 'resume' && (
          <Radio.Group value={overdue} onChange={setOverdue} label={t('life.overdue')}>
            <Stack gap={6} mt={6}>
              {OVERDUE.map((one) => (
                <Radio
                  key={one}
                  value={one}
                  label={t(`life.choice.${one}.label`)}
                  description={t(`life.choice.${one}.text`)}
                />
              ))}
            </Stack>
          </Radio.Group>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t('shell:cancel')}
          </Button>
          <Button
            color={life === 'archive' ? 'red' : undefined}
            loading={isBusy}
            onClick={run}
            data-autofocus={life !== 'archive' || undefined}
          >
            {t(`life.${life}`)}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
