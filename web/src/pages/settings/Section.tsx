import { Box, Group, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './Settings.module.css';

type Props = {
  title: string;
  text?: ReactNode;
  actions?: ReactNode;
  children?: ReactNode;
  /** The content is a list that reaches the edges. */
  flush?: boolean;
};

/** A part of a part: what it is about, what can be done, the thing itself. */
export function Section({ title, text, actions, children, flush = false }: Props) {
  const filled = children !== undefined && children !== false;
  return (
    <section className={classes.section} aria-label={title}>
      <Group
        className={classes.sectionHead}
        justify="space-between"
        align="flex-start"
        gap="sm"
        pb={!filled ? 'md' : undefined}
      >
        <Stack gap={2} style={{ minWidth: 0, flex: '1 1 260px' }}>
          <Title order={2} size="h3">
            {title}
          </Title>
          {text !== undefined && (
            <Text size="sm" c="dimmed" component="div">
              {text}
            </Text>
          )}
        </Stack>
        {actions}
      </Group>
      {filled && (
        <Box className={flush ? undefined : classes.sectionBody} pt={flush ? 'sm' : undefined}>
          {children}
        </Box>
      )}
    </section>
  );
}
