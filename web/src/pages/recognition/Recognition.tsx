/** What makes a sent mail an offer or an invoice: tried on a mailbox, put right by a click, ruled by the user's own rules. */
import { Badge, Tabs } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Page } from '../../shared/Page';
import { textOf, useAddress } from '../../shared/useAddress';
import { useMay } from '../../shell/useSession';
import { rulesQuery } from './api';
import { Rules } from './Rules';
import { Trial } from './Trial';

export function Recognition() {
  const { t } = useTranslation('recognition');
  const mayWork = useMay()('work');
  const [address, change] = useAddress();
  const rules = useQuery(rulesQuery);
  const tab = textOf(address.tab) === 'rules' || !mayWork ? 'rules' : 'try';
  const count = rules.data?.own.length;
  return (
    <Page title={t('title')} lead={t('lead')}>
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(next) => change({ tab: next === 'rules' ? next : undefined })}
      >
        <Tabs.List mb="md">
          {mayWork && <Tabs.Tab value="try">{t('tab.try')}</Tabs.Tab>}
          <Tabs.Tab
            value="rules"
            rightSection={
              count !== undefined && count > 0 ? (
                <Badge size="sm" variant="light" color="gray">
                  {count}
                </Badge>
              ) : undefined
            }
          >
            {t('tab.rules')}
          </Tabs.Tab>
        </Tabs.List>
        {mayWork && (
          <Tabs.Panel value="try">
            <Trial />
          </Tabs.Panel>
        )}
        <Tabs.Panel value="rules">
          <Rules query={rules} mayWork={mayWork} />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
