import { Anchor, Box, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { type ReactNode, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { tellFailure } from '../../shared/tell';
import { LANGUAGE_NAMES, LANGUAGES, speak } from '../../words';
import classes from './AccessCard.module.css';

type Props = {
  title: string;
  lead?: ReactNode;
  children: ReactNode;
  /** Where else to go, below the card. */
  foot?: ReactNode;
};

/** The frame of every page before the sign-in: one card in the middle, the languages below. */
export function AccessCard({ title, lead, children, foot }: Props) {
  const { t, i18n } = useTranslation('access');
  useEffect(() => {
    document.title = `${title} · Relance`;
  }, [title]);
  return (
    <Box className={classes.ground} component="main">
      <Stack gap="lg" className={classes.column}>
        <Group gap={10} justify="center">
          <img src="/icon.svg" alt="" width={30} height={30} />
          <Text fw={700} size="lg">
            Relance
          </Text>
        </Group>
        <Paper withBorder radius="lg" p={{ base: 'lg', xs: 'xl' }} className={classes.card}>
          <Stack gap="md">
            <Stack gap={4}>
              <Title order={1} className="breaks" size="h2">
                {title}
              </Title>
              {lead !== undefined && (
                <Text size="sm" c="dimmed" component="div" className="breaks">
                  {lead}
                </Text>
              )}
            </Stack>
            {children}
          </Stack>
        </Paper>
        {foot !== undefined && (
          <Text size="sm" ta="center" component="div">
            {foot}
          </Text>
        )}
        <Group justify="center" gap="md" component="nav" aria-label={t('shell:language')}>
          {LANGUAGES.map((one) =>
            one === i18n.language ? (
              <Text key={one} size="sm" lang={one} fw={600} aria-current="true">
                {LANGUAGE_NAMES[one]}
              </Text>
            ) : (
              <Anchor
                key={one}
                component="button"
                type="button"
                size="sm"
                c="dimmed"
                lang={one}
                onClick={() => speak(one).catch(tellFailure)}
              >
                {LANGUAGE_NAMES[one]}
              </Anchor>
            ),
          )}
        </Group>
      </Stack>
    </Box>
  );
}
