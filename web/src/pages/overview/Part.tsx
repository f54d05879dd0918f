import { Group, Stack, Title } from '@mantine/core';
import type { ReactNode } from 'react';

type Props = { title: string; more?: ReactNode; children: ReactNode };

/** A part of the overview under its name. */
export function Part({ title, more, children }: Props) {
  return (
    <Stack component="section" gap="sm" aria-label={title} style={{ minWidth: 0 }}>
      <Group justify="space-between" align="baseline" gap="sm">
        <Title order={2} size="h3">
          {title}
        </Title>
        {more}
      </Group>
      {children}
    </Stack>
  );
}
