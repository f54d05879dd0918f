import { Anchor, Badge, Group, Paper, Stack, Text, ThemeIcon } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconExclamationMark } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Check, FileMistake, Rendered } from './api';

const KNOWN = new Set(['size', 'link', 'alt', 'unsubscribe', 'spam_word']);
/** Words or links of one check that are shown. */
const ABOUT_SHOWN = 12;
const UNSUBSCRIBE = '{{ links.unsubscribe }}';

type Props = { rendered: Rendered; onGo: (mistake: FileMistake) => void };

/** What should be looked at before the template is sent, and what to do about it. */
export function Checks({ rendered, onGo }: Props) {
  const { t } = useTranslation('templates');
  const { mistakes, problems, checks, bytes } = rendered;
  const isFine = mistakes.length === 0 && problems.length === 0 && checks.length === 0;
  return (
    <Paper
      withBorder
      p="sm"
      component="section"
      aria-label={t('checks.title')}
      style={{ background: 'var(--relance-card)' }}
    >
      <Group justify="space-between" mb="xs">
        <Text size="sm" fw={600}>
          {t('checks.title')}
        </Text>
        <Text size="xs" c="dimmed" className="numbers">
          {t('checks.bytes', { size: Math.max(1, Math.round(bytes / 1024)) })}
        </Text>
      </Group>
      <Stack gap="xs" component="ul" style={{ listStyle: 'none', padding: 0, margin: 0 }} aria-live="polite">
        {mistakes.map((one) => (
          <Line key={`${one.file}:${one.line ?? 0}:${one.text}`} kind="mistake" title={t('checks.mistake')}>
            <Anchor
              component="button"
              type="button"
              size="sm"
              ta="left"
              className="breaks"
              onClick={() => onGo(one)}
            >
              {one.file}
              {one.line === undefined ? '' : `:${one.line}`}
            </Anchor>
            <Text size="sm" className="breaks">
              {one.text}
            </Text>
          </Line>
        ))}
        {problems.map((one) => (
          <Line key={one} kind="problem" title={t('checks.problem')}>
            <Text size="sm" className="breaks">
              {one}
            </Text>
          </Line>
        ))}
        {checks.map((one) => (
          <OneCheck key={one.code} check={one} />
        ))}
        {isFine && <Line kind="fine" title={t('checks.fine')} />}
      </Stack>
    </Paper>
  );
}

function OneCheck({ check }: { check: Check }) {
  const { t } = useTranslation('templates');
  const isKnown = KNOWN.has(check.code);
  const about = check.about.slice(0, ABOUT_SHOWN);
  return (
    <Line kind="check" title={isKnown ? t(`check.${check.code}.title`) : check.detail}>
      {isKnown && (
        <Text size="sm" c="dimmed">
          {t(`check.${check.code}.remedy`, { link: UNSUBSCRIBE })}
        </Text>
      )}
      {about.length > 0 && (
        <Group gap={4}>
          {about.map((one) => (
            <Badge key={one} variant="default" tt="none" fw={400} maw="100%" title={one}>
              {one}
            </Badge>
          ))}
          {check.about.length > about.length && (
            <Text size="xs" c="dimmed">
              {t('checks.more', { count: check.about.length - about.length })}
            </Text>
          )}
        </Group>
      )}
    </Line>
  );
}

const ICONS = {
  mistake: { Icon: IconAlertTriangle, color: 'red' },
  problem: { Icon: IconAlertTriangle, color: 'red' },
  check: { Icon: IconExclamationMark, color: 'yellow' },
  fine: { Icon: IconCircleCheck, color: 'green' },
} as const;

type LineProps = { kind: keyof typeof ICONS; title: string; children?: React.ReactNode };

function Line({ kind, title, children }: LineProps) {
  const { Icon, color } = ICONS[kind];
  return (
    <Group component="li" gap="xs" wrap="nowrap" align="flex-start">
      <ThemeIcon size={20} radius="xl" variant="light" color={color} aria-hidden>
        <Icon size={13} />
      </ThemeIcon>
      <Stack gap={2} align="flex-start" style={{ minWidth: 0 }}>
        <Text size="sm" fw={500} className="breaks">
          {title}
        </Text>
        {children}
      </Stack>
    </Group>
  );
}
