import { SegmentedControl, Stack } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { textOf, useAddress } from '../../../shared/useAddress';
import { useMay } from '../../../shell/useSession';
import { Backtest } from './Backtest';
import { Play } from './Play';

type Props = { id: string; text: string; isPublished: boolean };

/** What a text would do: to one contact, step by step; to everyone, by the history that there is. */
export function Preview({ id, text, isPublished }: Props) {
  const { t } = useTranslation('journeys');
  const [search, setSearch] = useAddress();
  const may = useMay();
  const what = textOf(search.over) === 'all' && may('journeys') ? 'all' : 'one';
  return (
    <Stack gap="sm">
      {may('journeys') && (
        <SegmentedControl
          size="xs"
          style={{ alignSelf: 'start' }}
          aria-label={t('tab.preview')}
          value={what}
          onChange={(next) => setSearch({ over: next === 'all' ? 'all' : undefined })}
          data={[
            { value: 'one', label: t('preview.one') },
            { value: 'all', label: t('preview.all') },
          ]}
        />
      )}
      {what === 'one' ? <Play text={text} /> : <Backtest id={id} text={text} isPublished={isPublished} />}
    </Stack>
  );
}
