import { Alert, Anchor, Text } from '@mantine/core';
import { IconZzz } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useMay, useSession } from './useSession';

/** A copy of a workspace sends nothing until a person releases it (R10). */
export function QuietBanner() {
  const { t } = useTranslation('shell');
  const may = useMay();
  if (useSession()?.quiet !== true) {
    return null;
  }
  return (
    <Alert color="yellow" radius={0} icon={<IconZzz aria-hidden />} title={t('quiet.title')}>
      <Text size="sm">
        {t('quiet.text')}{' '}
        {may('release') && (
          <Anchor component={Link} to="/settings/release" inherit c="inherit" underline="always">
            {t('quiet.link')}
          </Anchor>
        )}
      </Text>
    </Alert>
  );
}
