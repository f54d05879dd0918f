import { Box, Group, Loader, Paper, SegmentedControl, Skeleton, Stack, Text } from '@mantine/core';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { ProblemNote } from '../../shared/ProblemNote';
import type { Rendered } from './api';
import { framed, hasFarPictures, hasOwnDark, type Look } from './frame';
import classes from './Preview.module.css';
import type { Live } from './useRendered';

export const LOOKS = ['desktop', 'phone', 'dark', 'plain'] as const;
export type Shown = (typeof LOOKS)[number];

type Props = { live: Live; look: Shown; onLook: (look: Shown) => void };

/** The message as it would arrive. */
export function Preview({ live, look, onLook }: Props) {
  const { t } = useTranslation('templates');
  const { rendered, message, isOld, error } = live;
  const isWorking = isOld && error === null && (rendered?.mistakes.length ?? 0) === 0;
  return (
    <Stack gap="xs">
      <Group justify="space-between" gap="xs" wrap="nowrap">
        <SegmentedControl
          size="xs"
          aria-label={t('preview.look')}
          value={look}
          data={LOOKS.map((one) => ({ value: one, label: t(`preview.${one}`) }))}
          onChange={onLook}
        />
        {isWorking && <Loader size={14} role="status" aria-label={t('preview.rendering')} />}
      </Group>
      {error !== null && <ProblemNote error={error} retry={live.retry} />}
      {message === undefined ? (
        error === null && <Skeleton height={460} />
      ) : (
        <Paper withBorder className={classes.mail} data-old={isOld || undefined} aria-busy={isWorking}>
          <Box className={classes.head}>
            <Text size="xs" c="dimmed">
              {t('preview.subject')}
            </Text>
            <Text size="sm" fw={600} className="breaks" lineClamp={3}>
              {message.subject === '' ? t('preview.noSubject') : message.subject}
            </Text>
          </Box>
          <Body rendered={message} look={look} />
        </Paper>
      )}
    </Stack>
  );
}

function Body({ rendered, look }: { rendered: Rendered; look: Shown }) {
  const { t } = useTranslation('templates');
  const { html, text } = rendered;
  if (look === 'plain' || html === null) {
    return (
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a long text scrolls, by keyboard too
      <pre className={classes.plain} data-look={look} tabIndex={0}>
        {text}
      </pre>
    );
  }
  return (
    <>
      <Framed html={html} look={look} title={t('preview.frame')} />
      {hasFarPictures(html) && (
        <Text size="xs" c="dimmed" p="xs">
          {t('preview.pictures')}
        </Text>
      )}
      {look === 'dark' && !hasOwnDark(html) && (
        <Text size="xs" c="dimmed" p="xs">
          {t('preview.turned')}
        </Text>
      )}
    </>
  );
}

function Framed({ html, look, title }: { html: string; look: Look; title: string }) {
  const document = useMemo(() => framed(html, look), [html, look]);
  return (
    <Box className={classes.desk}>
      <iframe
        title={title}
        sandbox=""
        referrerPolicy="no-referrer"
        srcDoc={document}
        className={classes.frame}
        data-look={look}
      />
    </Box>
  );
}
