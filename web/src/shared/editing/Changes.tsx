import { Badge, Group, Stack, Text, VisuallyHidden } from '@mantine/core';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import classes from './Changes.module.css';
import { lineDiff, stretches } from './lineDiff';

export type Change = { name: string; before: string; after: string };

/** What differs, file by file; what does not is left out. */
export function Changes({ changes }: { changes: readonly Change[] }) {
  const { t } = useTranslation('editing');
  const changed = changes.filter((one) => one.before !== one.after);
  if (changed.length === 0) {
    return <Text size="sm">{t('noChanges')}</Text>;
  }
  return (
    <Stack gap="sm">
      {changed.map((one) => (
        <File key={one.name} change={one} />
      ))}
    </Stack>
  );
}

const SIGNS = { same: ' ', added: '+', removed: '-' } as const;

function File({ change }: { change: Change }) {
  const { t } = useTranslation('editing');
  const lines = useMemo(() => lineDiff(change.before, change.after), [change]);
  const count = (what: 'added' | 'removed') => lines.filter((line) => line.what === what).length;
  return (
    <section className={classes.file} aria-label={change.name}>
      <Group className={classes.name} gap="xs" justify="space-between" wrap="nowrap">
        <Text size="sm" fw={600} className="breaks">
          {change.name}
        </Text>
        <Group gap={6} wrap="nowrap">
          {change.before === '' && <Badge variant="light">{t('newFile')}</Badge>}
          {change.after === '' && (
            <Badge variant="light" color="red">
              {t('goneFile')}
            </Badge>
          )}
          <Text size="xs" c="dimmed" className="numbers" style={{ whiteSpace: 'nowrap' }}>
            {t('lines', { added: count('added'), removed: count('removed') })}
          </Text>
        </Group>
      </Group>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long changes scroll, by keyboard too */}
      <pre className={classes.lines} tabIndex={0}>
        {stretches(lines).map((stretch, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: stretches are told anew as a whole
          <span key={at}>
            {stretch.skipped > 0 && (
              <span className={classes.skipped}>{t('skipped', { count: stretch.skipped })}</span>
            )}
            {stretch.lines.map((line, place) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: as above
              <span key={place} className={classes.line} data-what={line.what}>
                <span aria-hidden>{SIGNS[line.what]} </span>
                {line.what !== 'same' && <VisuallyHidden>{t(`line.${line.what}`)}</VisuallyHidden>}
                {line.text}
              </span>
            ))}
          </span>
        ))}
      </pre>
    </section>
  );
}
