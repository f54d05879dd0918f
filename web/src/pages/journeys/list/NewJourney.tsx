import { Button, Group, Modal, Radio, Stack, Text, TextInput } from '@mantine/core';
import { IconFilePlus, IconShoppingCart, IconUserPlus } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { failureOf } from '../../../api/problem';
import { queries } from '../../../api/queries';
import { ProblemNote } from '../../../shared/ProblemNote';
import { journey, putDraft } from '../calls';
import classes from './NewJourney.module.css';
import { idOf, isId, STARTS, type Start, startText } from './starts';

const ICONS = {
  welcome: IconUserPlus,
  cart: IconShoppingCart,
  empty: IconFilePlus,
};

/** Begins a journey: with one that is ready, or with nothing. */
export function NewJourney({ close }: { close: () => void }) {
  const { t, i18n } = useTranslation('journeys');
  const navigate = useNavigate();
  const [start, setStart] = useState<Start>('empty');
  const [name, setName] = useState<string>();
  const [id, setId] = useState<string>();
  const [isTaken, setIsTaken] = useState(false);
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const named = name ?? t(`start.${start}.name`);
  const made = idOf(named);
  const own = id ?? (made === '' ? (start === 'empty' ? 'journey' : start) : made);

  const make = async (event: FormEvent) => {
    event.preventDefault();
    setIsBusy(true);
    setError(undefined);
    try {
      if (await isThere(own)) {
        setIsTaken(true);
        return;
      }
      await putDraft(own, startText(start, own, named, i18n.t), undefined);
      await queries.invalidateQueries({ queryKey: ['journeys'] });
      await navigate({ to: '/journeys/$id', params: { id: own } });
    } catch (failure) {
      if (failureOf(failure).status === 412) {
        setIsTaken(true);
      } else {
        setError(failure);
      }
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <Modal opened onClose={close} title={t('new.title')} size="lg">
      <form onSubmit={make}>
        <Stack>
          <Radio.Group
            value={start}
            onChange={(next) => setStart(STARTS.find((one) => one === next) ?? 'empty')}
            label={t('new.start')}
          >
            <div className={classes.starts}>
              {STARTS.map((one) => {
                const Icon = ICONS[one];
                return (
                  <Radio.Card
                    key={one}
                    value={one}
                    className={classes.start}
                    aria-label={t(`start.${one}.title`)}
                  >
                    <Group gap="sm" wrap="nowrap" align="flex-start">
                      <Icon size={20} stroke={1.6} aria-hidden style={{ flex: 'none', marginTop: 2 }} />
                      <div>
                        <Text size="sm" fw={600}>
                          {t(`start.${one}.title`)}
                        </Text>
                        <Text size="xs" c="dimmed">
                          {t(`start.${one}.text`)}
                        </Text>
                      </div>
                    </Group>
                  </Radio.Card>
                );
              })}
            </div>
          </Radio.Group>
          <Group grow align="flex-start">
            <TextInput
              label={t('head.name')}
              value={named}
              maxLength={256}
              data-autofocus
              required
              onChange={(event) => {
                setName(event.currentTarget.value);
                setIsTaken(false);
              }}
            />
            <TextInput
              label={t('new.id')}
              description={t('new.idHint')}
              inputWrapperOrder={['label', 'input', 'description', 'error']}
              value={own}
              error={isTaken ? t('new.taken') : isId(own) ? undefined : t('new.badId')}
              onChange={(event) => {
                setId(event.currentTarget.value);
                setIsTaken(false);
              }}
            />
          </Group>
          {error !== undefined && <ProblemNote error={error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {t('shell:cancel')}
            </Button>
            <Button type="submit" loading={isBusy} disabled={!isId(own) || named.trim() === '' || isTaken}>
              {t('new.make')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

async function isThere(id: string): Promise<boolean> {
  try {
    await journey(id);
    return true;
  } catch (error) {
    if (failureOf(error).status === 404) {
      return false;
    }
    throw error;
  }
}
