import { Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { inForceQuery } from '../calls';
import { Section } from '../Section';
import { Costs } from '../sections/Costs';
import { Facts } from '../sections/Facts';
import { General } from '../sections/General';
import { asText } from './values';

/** The workspace itself, and what only its operator decides. */
export function Workspace() {
  return (
    <Stack gap="md">
      <General />
      <Costs />
      <Operator />
    </Stack>
  );
}

/** What stands in the file alone: it is told, and changed there. */
function Operator() {
  const { t } = useTranslation('settings');
  const { data } = useQuery(inForceQuery);
  if (data === undefined) {
    return null;
  }
  const { configuration, file, version } = data;
  return (
    <Section title={t('operator.title')} text={t('operator.text', { file })}>
      <Facts
        list={[
          [
            t('workspace.store'),
            t(`operator.storeIs.${asText(configuration.store)}`, {
              defaultValue: asText(configuration.store),
            }),
          ],
          [t('workspace.version'), version],
        ]}
      />
    </Section>
  );
}
