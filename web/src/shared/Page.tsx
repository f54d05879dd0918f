import { Box, Group, Stack, Text, Title } from '@mantine/core';
import { type ReactNode, useEffect } from 'react';

type Props = {
  title: string;
  /** A line that says what the page is for, or what it counts. */
  lead?: ReactNode;
  /** What can be done with the whole of it, at the end of the title's line. */
  actions?: ReactNode;
  children: ReactNode;
  /** Fills the width; texts and forms read better in a narrower one. */
  wide?: boolean;
};

/** The frame of a page's content: one title, its actions, room. */
export function Page({ title, lead, actions, children, wide = true }: Props) {
  useEffect(() => {
    document.title = `${title} · Relance`;
  }, [title]);
  return (
    <Box px={{ base: 'md', md: 'xl' }} py="lg" maw={wide ? undefined : 860} mx={wide ? undefined : 'auto'}>
      <Stack gap="md">
        <Group justify="space-between" align="flex-start" gap="sm">
          <Stack gap={2} style={{ minWidth: 0, flex: '1 1 240px' }}>
            <Title order={1} className="breaks" lineClamp={2}>
              {title}
            </Title>
            {lead !== undefined && (
              <Text c="dimmed" size="sm" component="div">
                {lead}
              </Text>
            )}
          </Stack>
          {actions !== undefined && <Group gap="xs">{actions}</Group>}
        </Group>
        {children}
      </Stack>
    </Box>
  );
}
