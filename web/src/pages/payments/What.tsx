import { Stack, Text, Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import classes from './Payments.module.css';

const FORMATS = ['camt', 'mt940', 'onec', 'csv'] as const;

/** Before the first statement: what such a file is, and where the bank gives it. */
export function What({ mayImport }: { mayImport: boolean }) {
  const { t } = useTranslation('payments');
  return (
    <Stack maw={720} gap="md" py="md">
      <Title order={2}>{t('what.title')}</Title>
      <Text size="sm" c="dimmed">
        {t(mayImport ? 'what.text' : 'what.others')}
      </Text>
      {mayImport && (
        <dl className={classes.formats}>
          {FORMATS.map((one) => (
            <div key={one} style={{ display: 'contents' }}>
              <dt>{t(`what.${one}.name`)}</dt>
              <dd>{t(`what.${one}.where`)}</dd>
            </div>
          ))}
        </dl>
      )}
    </Stack>
  );
}
