import { Button, Group, Text, Tooltip } from '@mantine/core';
import { IconCheck, IconCloudOff, IconCloudUp } from '@tabler/icons-react';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { problemWords } from '../../../shared/ProblemNote';
import { tellDone } from '../../../shared/tell';
import type { DraftKeeper, Kept } from '../text/DraftKeeper';

/** Whether what is written is with the server. */
export function SaveNote({ kept, keeper }: { kept: Kept; keeper: DraftKeeper }) {
  const { t } = useTranslation('journeys');
  const { state, news, newsBy } = kept;
  useEffect(() => {
    if (news !== undefined) {
      tellDone(
        news === 'restored' ? t('save.restored') : t('save.replaced', { by: newsBy ?? t('save.somebody') }),
      );
      keeper.heard();
    }
  }, [news, newsBy, keeper, t]);
  if (state === 'failed') {
    const { title, remedy, detail } = problemWords(kept.error);
    return (
      <Group gap={4} role="alert">
        <IconCloudOff size={15} aria-hidden color="var(--mantine-color-red-filled)" />
        <Tooltip
          label={[title, remedy, detail].filter((one) => one !== undefined).join('\n')}
          style={{ whiteSpace: 'pre-wrap' }}
          multiline
          maw={360}
        >
          <Text size="xs" c="red">
            {t('save.failed')}
          </Text>
        </Tooltip>
        <Button size="compact-xs" variant="subtle" onClick={() => keeper.flush()}>
          {t('save.retry')}
        </Button>
      </Group>
    );
  }
  const isSaved = state === 'saved';
  return (
    <Group gap={4} role="status" aria-live="polite">
      {isSaved ? <IconCheck size={15} aria-hidden /> : <IconCloudUp size={15} aria-hidden />}
      <Text size="xs" c="dimmed">
        {isSaved
          ? keeper.saved.revision === undefined
            ? t('save.same')
            : t('save.saved')
          : t('save.saving')}
      </Text>
    </Group>
  );
}
