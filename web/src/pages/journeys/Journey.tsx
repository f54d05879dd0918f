import { Badge, Button, Group, Skeleton, Stack, Tabs, Text } from '@mantine/core';
import { IconRocket } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../shared/format';
import { Page } from '../../shared/Page';
import { ProblemNote } from '../../shared/ProblemNote';
import { textOf, useAddress } from '../../shared/useAddress';
import { useMay } from '../../shell/useSession';
import { type JourneyShown, journey } from './calls';
import { EditTab } from './edit/EditTab';
import { useKeeper } from './edit/useKeeper';
import { useNames } from './edit/useNames';
import { LifeMenu } from './life/LifeMenu';
import { StatusBadge } from './life/StatusBadge';
import { readJourney } from './model/journey';
import { Publish } from './publish/Publish';

const Versions = lazy(() => import('./versions/Versions').then((all) => ({ default: all.Versions })));
const Numbers = lazy(() => import('./numbers/Numbers').then((all) => ({ default: all.Numbers })));
const Preview = lazy(() => import('./preview/Preview').then((all) => ({ default: all.Preview })));

const TABS = ['edit', 'versions', 'numbers', 'preview'] as const;

export function Journey() {
  const { t } = useTranslation('journeys');
  const { id = '' } = useParams({ strict: false });
  const query = useQuery({ queryKey: ['journeys', id], queryFn: () => journey(id) });
  if (query.data !== undefined) {
    return <Loaded key={id} shown={query.data} />;
  }
  return (
    <Page title={id}>
      {query.isError ? (
        <ProblemNote error={query.error} retry={() => query.refetch()} />
      ) : (
        <Stack aria-busy aria-label={t('loading')}>
          <Skeleton h={36} w={320} />
          <Skeleton h="60vh" />
        </Stack>
      )}
    </Page>
  );
}

function Loaded({ shown }: { shown: JourneyShown }) {
  const { t } = useTranslation('journeys');
  const format = useFormat();
  const may = useMay();
  const mayWrite = may('journeys');
  const [search, setSearch] = useAddress();
  const tab = TABS.find((one) => one === textOf(search.tab)) ?? 'edit';
  const names = useNames(shown.versions.slice(-3).map((one) => one.text));
  const { keeper, text, kept } = useKeeper(shown, names, mayWrite);
  const [publishing, setPublishing] = useState(false);
  const name = readJourney(text).journey?.name ?? shown.name ?? shown.id;
  const current = shown.versions.find((one) => one.current);
  const isChanged = current === undefined || current.text !== text;
  return (
    <Page
      title={name}
      lead={
        <Group gap="xs">
          <StatusBadge status={shown.status} />
          <Text size="sm" span className="breaks">
            {shown.id}
          </Text>
          {shown.current !== null && (
            <Text size="sm" span>
              · {t('page.version', { version: shown.current })}
            </Text>
          )}
          {shown.newest !== null && (
            <Text size="sm" span>
              · {t('page.runs', { count: shown.live_runs, runs: format.number(shown.live_runs) })}
            </Text>
          )}
          {isChanged && shown.current !== null && (
            <Badge
              variant="light"
              color="yellow"
              tt="none"
              autoContrast
              styles={{ label: { color: 'var(--mantine-color-text)' } }}
            >
              {t('page.changed')}
            </Badge>
          )}
        </Group>
      }
      actions={
        mayWrite && (
          <>
            <Button
              leftSection={<IconRocket size={16} aria-hidden />}
              onClick={() => setPublishing(true)}
              disabled={
                kept.state === 'conflict' ||
                (!isChanged && shown.status !== 'archived' && shown.status !== 'retired')
              }
            >
              {t('publish.button')}
            </Button>
            <LifeMenu shown={shown} keeper={keeper} />
          </>
        )
      }
    >
      <Tabs
        value={tab}
        onChange={(next) =>
          setSearch({ tab: next === 'edit' ? undefined : (next ?? undefined) }, { push: true })
        }
        keepMounted={false}
      >
        <Tabs.List mb="sm" style={{ flexWrap: 'nowrap', overflowX: 'auto', overflowY: 'hidden' }}>
          {TABS.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {t(`tab.${one === 'edit' && !mayWrite ? 'read' : one}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Suspense fallback={<Skeleton h="50vh" />}>
          <Tabs.Panel value="edit">
            <EditTab keeper={keeper} text={text} kept={kept} names={names} mayWrite={mayWrite} />
          </Tabs.Panel>
          <Tabs.Panel value="versions">
            <Versions shown={shown} text={text} keeper={mayWrite ? keeper : undefined} />
          </Tabs.Panel>
          <Tabs.Panel value="numbers">
            <Numbers shown={shown} />
          </Tabs.Panel>
          <Tabs.Panel value="preview">
            <Preview id={shown.id} text={text} isPublished={shown.newest !== null} />
          </Tabs.Panel>
        </Suspense>
      </Tabs>
      {publishing && <Publish shown={shown} keeper={keeper} text={text} close={() => setPublishing(false)} />}
    </Page>
  );
}
