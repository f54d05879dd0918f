import { Anchor, Badge, Button, Group, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { type Column, DataList, Empty } from '../../shared/DataList';
import { useFormat } from '../../shared/format';
import { useAddress } from '../../shared/useAddress';
import { loadObjects, loadRuns, type Run } from './api';
import { objectName } from './ObjectsTab';

/** Runs of journeys, and where each stands. */
export function RunsTab({ id }: { id: string }) {
  const { t } = useTranslation('contacts');
  const columns = useColumns(id);
  return (
    <DataList
      label={t('tab.runs')}
      queryKey={['contacts', 'runs', id]}
      load={(cursor, signal) => loadRuns(id, cursor, signal)}
      rowKey={(run) => run.id}
      columns={columns}
      empty={<Empty title={t('runsNone.title')} text={t('runsNone.text')} />}
    />
  );
}

function useColumns(contact: string): Column<Run>[] {
  const { t } = useTranslation('contacts');
  const format = useFormat();
  const [, change] = useAddress();
  // Runs know what they are about by its id; people know it by its number.
  const { data } = useQuery({
    queryKey: ['contacts', 'objects', contact, 'names'],
    queryFn: ({ signal }) => loadObjects(contact, undefined, signal),
  });
  return useMemo(() => {
    const names = new Map(data?.items.map((one) => [`${one.kind}:${one.id}`, objectName(one)]));
    const nameOf = (subject: { kind: string; id: string }) =>
      names.get(`${subject.kind}:${subject.id}`) ?? subject.id;
    return [
      {
        key: 'journey',
        title: t('journey'),
        width: 'minmax(150px, 1.4fr)',
        render: (run) => (
          <div style={{ minWidth: 0 }}>
            <Anchor
              size="sm"
              fw={500}
              lineClamp={1}
              renderRoot={(props) => <Link {...props} to="/journeys/$id" params={{ id: run.journey }} />}
            >
              {run.journey}
            </Anchor>
            <Text size="xs" c="dimmed">
              {t('version', { version: run.version })}
            </Text>
          </div>
        ),
      },
      {
        key: 'about',
        title: t('about'),
        width: 'minmax(120px, 1.2fr)',
        render: (run) =>
          run.subject === null ? (
            ''
          ) : run.subject.kind === 'document' ? (
            <Anchor
              size="sm"
              lineClamp={1}
              renderRoot={(props) => (
                <Link
                  {...props}
                  to="/documents/$contact/$document"
                  params={{ contact, document: run.subject?.id ?? '' }}
                />
              )}
            >
              {nameOf(run.subject)}
            </Anchor>
          ) : (
            <Text size="sm" lineClamp={1} className="breaks">
              {nameOf(run.subject)}
            </Text>
          ),
      },
      {
        key: 'stands',
        title: t('stands'),
        width: 'minmax(170px, 1.2fr)',
        render: (run) => (
          <Group gap={6}>
            <Badge variant="light" radius="sm" size="sm" tt="none" color={run.running ? 'blue' : 'gray'}>
              {run.running ? t('running') : t('ended')}
            </Badge>
            {run.running && run.step !== null && (
              <Text size="sm" c="dimmed">
                {t('atStep', { step: run.step })}
              </Text>
            )}
            {run.converted_at !== null && (
              <Badge variant="light" radius="sm" size="sm" tt="none" color="green">
                {t('converted')}
              </Badge>
            )}
            {run.held_out && (
              <Badge variant="outline" radius="sm" size="sm" tt="none" color="gray">
                {t('heldOut')}
              </Badge>
            )}
          </Group>
        ),
      },
      {
        key: 'entered',
        title: t('entered'),
        width: '130px',
        from: 'md',
        render: (run) => format.brief(run.entered_at),
      },
      {
        key: 'why',
        title: t('tab.why'),
        width: '110px',
        render: (run) => (
          <Button
            size="compact-xs"
            variant="subtle"
            onClick={() => change({ tab: 'why', journey: run.journey, message: undefined }, { push: true })}
          >
            {t('whyMessage')}
          </Button>
        ),
      },
    ];
  }, [t, format, change, contact, data]);
}
