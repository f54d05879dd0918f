/** Where a value comes from: the file, a change made here, or nobody said anything. */
import { Group, Text } from '@mantine/core';
import { IconFileText, IconUserEdit } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../../shared/format';
import type { SectionShown } from './calls';

/** The file that the operator writes. */
export const FILE = 'relance.toml';

export function OriginNote({ shown }: { shown: SectionShown }) {
  const { t } = useTranslation('settings');
  const format = useFormat();
  const { origin, changed_by: by, changed_at: at } = shown;
  if (origin === 'default') {
    return null;
  }
  const Icon = origin === 'here' ? IconUserEdit : IconFileText;
  const words =
    origin === 'file'
      ? t('origin.file', { file: FILE })
      : by && at
        ? t('origin.here', { by, at: format.moment(at) })
        : t('origin.hereSomebody');
  return (
    <Group gap={6} wrap="nowrap" c="dimmed" data-origin={origin}>
      <Icon size={14} stroke={1.6} style={{ flex: 'none' }} aria-hidden />
      <Text size="xs" c="dimmed" className="breaks">
        {words}
      </Text>
    </Group>
  );
}
