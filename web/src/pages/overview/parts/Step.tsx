import { Box, Stack, Text } from '@mantine/core';
import { IconCircle, IconCircleCheckFilled } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import classes from '../Overview.module.css';

/** One thing to do once; what it needs is shown until it is done. */
export function Step({ done, title, children }: { done: boolean; title: string; children: ReactNode }) {
  const { t } = useTranslation('overview');
  return (
    <li className={classes.step} data-done={done || undefined}>
      <Box className={classes.tick} role="img" aria-label={done ? t('start.done') : t('start.open')}>
        {done ? <IconCircleCheckFilled size={20} aria-hidden /> : <IconCircle size={20} aria-hidden />}
      </Box>
      <Stack gap={6} style={{ minWidth: 0, flex: 1 }}>
        <Text fw={600} size="sm">
          {title}
        </Text>
        {!done && children}
      </Stack>
    </li>
  );
}
