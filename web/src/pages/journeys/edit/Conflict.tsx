/** Two people wrote at once: both texts beside each other, and the choice, piece by piece. */
import { Alert, Badge, Box, Button, Group, SegmentedControl, Stack, Text } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../../shared/format';
import { tellDone, tellFailure } from '../../../shared/tell';
import { putDraft } from '../calls';
import { type Choice, hunks, likely, merged } from '../model/diff';
import { setAt } from '../model/edits';
import { applied } from '../model/surgery';
import type { DraftKeeper, Theirs } from '../text/DraftKeeper';
import classes from './Conflict.module.css';

type Props = { keeper: DraftKeeper; theirs: Theirs; mine: string };

/** Numbers that a copy's id is tried with. */
const COPIES_MAX = 20;

export function Conflict({ keeper, theirs, mine }: Props) {
  const { t } = useTranslation('journeys');
  const format = useFormat();
  const navigate = useNavigate();
  const all = useMemo(() => hunks(theirs.text, mine), [theirs.text, mine]);
  const base = keeper.saved.text;
  const meant = useMemo(() => likely(all, base), [all, base]);
  const [choices, setChoices] = useState<Record<number, Choice>>({});
  const [isBusy, setIsBusy] = useState(false);
  const picked = meant.map((one, at) => choices[at] ?? one);
  const by = theirs.by ?? t('save.somebody');

  const copy = async () => {
    setIsBusy(true);
    try {
      const id = await keepCopy(keeper.id, mine);
      keeper.resolve(theirs.text);
      tellDone(t('conflict.copied', { id }));
      await navigate({ to: '/journeys/$id', params: { id } });
    } catch (error) {
      tellFailure(error);
    } finally {
      setIsBusy(false);
    }
  };
  let at = -1;
  return (
    <Stack gap="sm" data-conflict>
      <Alert color="orange" title={t('conflict.title', { by })} role="alert">
        <Stack gap="xs" align="flex-start">
          <Text size="sm">
            {theirs.at === undefined
              ? t('conflict.text')
              : `${t('conflict.at', { time: format.moment(theirs.at) })} ${t('conflict.text')}`}
          </Text>
          <Group gap="xs">
            <Button size="xs" variant="default" disabled={isBusy} onClick={() => keeper.resolve(theirs.text)}>
              {t('conflict.takeTheirs')}
            </Button>
            <Button size="xs" variant="default" loading={isBusy} onClick={copy}>
              {t('conflict.keepCopy')}
            </Button>
            <Button size="xs" disabled={isBusy} onClick={() => keeper.resolve(merged(all, picked))}>
              {t('conflict.merge')}
            </Button>
          </Group>
        </Stack>
      </Alert>
      <Box className={classes.table}>
        <div className={classes.head}>
          <Badge variant="light" color="blue" tt="none">
            {t('conflict.theirs', { by })}
          </Badge>
          <Badge variant="light" color="green" tt="none">
            {t('conflict.mine')}
          </Badge>
        </div>
        {all.map((hunk, index) => {
          if ('same' in hunk) {
            return (
              // biome-ignore lint/suspicious/noArrayIndexKey: pieces of two fixed texts, in their order
              <pre key={index} className={classes.same}>
                {shortened(hunk.same).join('\n')}
              </pre>
            );
          }
          at += 1;
          const own = at;
          const choice = picked[own] ?? 'mine';
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: pieces of two fixed texts, in their order
            <div key={index} className={classes.hunk}>
              <SegmentedControl
                size="xs"
                aria-label={t('conflict.choose', { count: own + 1 })}
                value={choice}
                onChange={(next) => setChoices({ ...choices, [own]: next as Choice })}
                data={(['theirs', 'both', 'mine'] as const).map((one) => ({
                  value: one,
                  label: t(`conflict.of.${one}`),
                }))}
              />
              <div className={classes.sides}>
                <pre data-side="theirs" data-off={choice === 'mine' || undefined}>
                  {hunk.theirs.join('\n')}
                </pre>
                <pre data-side="mine" data-off={choice === 'theirs' || undefined}>
                  {hunk.mine.join('\n')}
                </pre>
              </div>
            </div>
          );
        })}
      </Box>
    </Stack>
  );
}

const CONTEXT_LINES = 3;

/** Long stretches that are the same are told by their ends. */
function shortened(lines: readonly string[]): string[] {
  return lines.length <= CONTEXT_LINES * 2 + 1
    ? [...lines]
    : [...lines.slice(0, CONTEXT_LINES), '⋯', ...lines.slice(-CONTEXT_LINES)];
}

/** Keeps a text as the draft of a new journey; its id is the first that is free. */
async function keepCopy(id: string, text: string): Promise<string> {
  let failure: unknown;
  for (let at = 1; at <= COPIES_MAX; at += 1) {
    const name = `${id.slice(0, 56)}-copy${at === 1 ? '' : at}`;
    try {
      await putDraft(name, applied(text, setAt(text, ['id'], name)), undefined);
      return name;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
