import { Alert, Box, Button, Group, Paper, Stack, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { type Document, isMap } from 'yaml';
import { readDocument } from '../../../shared/editing/document';
import { keepLines } from '../../../shared/editing/keepLines';
import type { SegmentSummary } from '../api';
import { make, put } from '../change';
import { type Definition, readDefinition, type Way } from '../condition';
import type { Facts } from '../useFacts';
import classes from './builder.module.css';
import { type Building, BuildingContext } from './context';
import { GroupEditor } from './GroupEditor';
import { Typed } from './inputs';
import { shown, typedValue } from './values';

type Props = {
  own: string;
  text: string;
  onChange: (text: string) => void;
  facts: Facts;
  segments: readonly SegmentSummary[];
  isReadOnly: boolean;
};

/** The conditions of a definition as nested groups. It changes the text, and shows whatever the text says. */
export function Builder({ own, text, onChange, facts, segments, isReadOnly }: Props) {
  const { t } = useTranslation('segments');
  const { document, definition } = useMemo(() => {
    const parsed = readDocument(text);
    return { document: parsed, definition: readDefinition(parsed) };
  }, [text]);
  const building = useMemo<Building>(
    () => ({
      document,
      edit: (change) => {
        change(document);
        onChange(keepLines(text, document));
      },
      fields: facts.fields,
      events: facts.events,
      objects: facts.objects,
      segments: segments.map((one) => ({ id: one.id, name: one.name ?? one.id })),
      own,
      isReadOnly,
    }),
    [document, text, onChange, facts, segments, own, isReadOnly],
  );
  if (definition.sort === 'broken') {
    return (
      <Alert color="yellow" variant="light" title={t('builder.broken')}>
        {document.errors[0]?.message ?? t('builder.brokenText')}
      </Alert>
    );
  }
  return (
    <BuildingContext.Provider value={building}>
      <Stack gap="md">
        <Head document={document} building={building} isGrades={definition.sort === 'grades'} />
        <Body definition={definition} building={building} />
      </Stack>
    </BuildingContext.Provider>
  );
}

function Head({
  document,
  building,
  isGrades,
}: {
  document: Document;
  building: Building;
  isGrades: boolean;
}) {
  const { t } = useTranslation('segments');
  const map = document.contents;
  if (!isMap(map)) {
    return null;
  }
  const text = (key: string) => shown(map.get(key));
  const write = (key: string, value: string) =>
    building.edit((own) => put(own, map as never, key, value.trim() === '' ? undefined : value));
  return (
    <Group gap="xs" align="flex-end">
      <Labelled label={t('head.name')}>
        <Typed
          label={t('head.name')}
          value={text('name')}
          width={240}
          onChange={(value) => write('name', value)}
        />
      </Labelled>
      <Labelled label={t('head.description')}>
        <Typed
          label={t('head.description')}
          value={text('description')}
          width={320}
          onChange={(value) => write('description', value)}
        />
      </Labelled>
      {isGrades && (
        <Labelled label={t('head.trait')}>
          <Typed
            label={t('head.trait')}
            value={text('trait') || text('id')}
            onChange={(value) => write('trait', value)}
          />
        </Labelled>
      )}
    </Group>
  );
}

function Labelled({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <Box>
      <Text size="xs" c="dimmed" mb={2} aria-hidden>
        {label}
      </Text>
      {children}
    </Box>
  );
}

function Body({ definition, building }: { definition: Definition; building: Building }) {
  const { t } = useTranslation('segments');
  switch (definition.sort) {
    case 'condition':
      return (
        <Paper p="sm" withBorder className={classes.inner}>
          <Text size="sm" fw={600} mb={6}>
            {t('builder.who')}
          </Text>
          <GroupEditor group={definition.root} />
        </Paper>
      );
    case 'list':
      return <Text size="sm">{t('builder.list')}</Text>;
    case 'grades':
      return <Ways ways={definition.ways} building={building} />;
    case 'broken':
      return null;
  }
}

/** Grades: each contact goes the first way that fits. */
function Ways({ ways, building }: { ways: Way[]; building: Building }) {
  const { t } = useTranslation('segments');
  const { edit, isReadOnly } = building;
  const addWay = () =>
    edit((document) => {
      const list = document.getIn(['ways']) as { items: unknown[] } | undefined;
      const way = make(document, {
        if: [{ did: 'Order Completed', within: '90d' }],
        is: String.fromCharCode(65 + Math.min(ways.length, 25)),
      });
      const last = ways.findIndex((one) => one.root === undefined);
      list?.items.splice(last === -1 ? ways.length : last, 0, way);
    });
  const removeWay = (at: number) =>
    edit((document) => {
      const list = document.getIn(['ways']) as { items: unknown[] } | undefined;
      list?.items.splice(at, 1);
    });
  return (
    <Stack gap="sm">
      <Text size="sm">{t('builder.ways')}</Text>
      {ways.map((way) => (
        <Paper key={way.at} p="sm" withBorder className={classes.inner}>
          <Group gap="xs" mb={6} justify="space-between">
            <Group gap="xs">
              <Text size="sm" fw={600}>
                {t(way.root === undefined ? 'builder.else' : 'builder.grade')}
              </Text>
              <Typed
                label={t('builder.gradeName')}
                value={shown(way.value)}
                width={90}
                onChange={(value) =>
                  edit((document) =>
                    put(document, way.map, way.root === undefined ? 'else' : 'is', typedValue(value)),
                  )
                }
              />
            </Group>
            {!isReadOnly && ways.length > 1 && (
              <Button size="compact-xs" variant="subtle" color="gray" onClick={() => removeWay(way.at)}>
                {t('builder.removeWay')}
              </Button>
            )}
          </Group>
          {way.root !== undefined && <GroupEditor group={way.root} />}
        </Paper>
      ))}
      {!isReadOnly && (
        <Button
          size="compact-sm"
          variant="subtle"
          leftSection={<IconPlus size={14} />}
          style={{ alignSelf: 'flex-start' }}
          onClick={addWay}
        >
          {t('builder.addWay')}
        </Button>
      )}
    </Stack>
  );
}
