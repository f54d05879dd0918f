import { Radio, Stack, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { EditSection } from '../edit/EditSection';
import { asText } from '../parts/values';
import classes from './sections.module.css';
import { asRaw } from './values';

const WAYS = ['smtp', 'outbox'] as const;

type DeliveryForm = { by: string };

/** Whether messages leave, or wait in a folder while the company looks on. */
export function Delivery() {
  const { t } = useTranslation('settings');
  return (
    <EditSection<DeliveryForm>
      section="delivery"
      title={t('delivery.title')}
      text={t('delivery.text')}
      shape={{
        read: (value) => ({ by: asText(asRaw(value).by) }),
        write: ({ by }) => ({ by }),
      }}
      read={({ by }) => (
        <Text size="sm" px="md" py="sm">
          {t(`delivery.${by}`)}
        </Text>
      )}
      edit={({ form, set, wrong }) => (
        <div className={classes.fields}>
          <Radio.Group
            className={classes.whole ?? ''}
            label={t('delivery.title')}
            value={form.by}
            onChange={(by) => set({ by })}
            error={wrong('by')}
          >
            <Stack gap="sm" mt="xs">
              {WAYS.map((way) => (
                <Radio
                  key={way}
                  value={way}
                  label={t(`delivery.${way}`)}
                  description={t(`delivery.${way}Text`)}
                />
              ))}
            </Stack>
          </Radio.Group>
        </div>
      )}
      fields={['by']}
    />
  );
}
