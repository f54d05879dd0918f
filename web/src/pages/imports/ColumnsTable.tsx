import { Badge, Group, Select, Table, Text, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { SuggestedColumn } from './api';
import classes from './ColumnsTable.module.css';
import {
  CHANNELS,
  FIELDS,
  type Mapping,
  type Target,
  TRAIT_KINDS,
  targetOf,
  traitName,
  writtenTarget,
} from './mapping';

type Props = {
  columns: readonly SuggestedColumn[];
  mapping: Mapping;
  onChange: (mapping: Mapping) => void;
};

/** What each column of the file becomes, beside cells from it. */
export function ColumnsTable({ columns, mapping, onChange }: Props) {
  const { t } = useTranslation('imports');
  const counts = new Map<string, number>();
  for (const value of Object.values(mapping.columns)) {
    const target = targetOf(value);
    if (target.kind === 'field') {
      counts.set(target.field, (counts.get(target.field) ?? 0) + 1);
    }
  }
  const nameOf = (column: SuggestedColumn) => {
    const place = `#${column.place}`;
    return place in mapping.columns ? place : (column.name ?? place);
  };
  return (
    <Table className={classes.table} verticalSpacing={8} fz="sm" layout="fixed">
      <Table.Thead>
        <Table.Tr>
          <Table.Th w="26%">{t('columns.column')}</Table.Th>
          <Table.Th w="32%">{t('columns.samples')}</Table.Th>
          <Table.Th w="42%">{t('columns.becomes')}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {columns.map((column) => {
          const name = nameOf(column);
          const target = targetOf(mapping.columns[name]);
          const head =
            column.head === null || column.head === ''
              ? t('columns.place', { place: column.place })
              : column.head;
          return (
            <Table.Tr key={column.place} data-skipped={target.kind === 'skip' || undefined}>
              <Table.Td>
                <Text size="sm" fw={500} lineClamp={2} className="breaks" title={head.slice(0, 300)}>
                  {head}
                </Text>
              </Table.Td>
              <Table.Td>
                <Text size="xs" c="dimmed" lineClamp={2} className="breaks">
                  {column.samples.slice(0, 3).join(' · ')}
                </Text>
              </Table.Td>
              <Table.Td>
                <Becomes
                  head={head}
                  target={target}
                  isTwice={target.kind === 'field' && (counts.get(target.field) ?? 0) > 1}
                  onChange={(next) =>
                    onChange({ ...mapping, columns: { ...mapping.columns, [name]: writtenTarget(next) } })
                  }
                />
                {column.why === 'name' && target.kind === 'trait' && (
                  <Badge variant="light" color="gray" tt="none" mt={4}>
                    {t('columns.unsure')}
                  </Badge>
                )}
              </Table.Td>
            </Table.Tr>
          );
        })}
      </Table.Tbody>
    </Table>
  );
}

type BecomesProps = {
  head: string;
  target: Target;
  isTwice: boolean;
  onChange: (target: Target) => void;
};

function Becomes({ head, target, isTwice, onChange }: BecomesProps) {
  const { t } = useTranslation('imports');
  const value =
    target.kind === 'field'
      ? `field:${target.field}`
      : target.kind === 'consent'
        ? `consent:${target.channel}`
        : target.kind;
  const data = [
    { value: 'skip', label: t('target.skip') },
    {
      group: t('target.fields'),
      items: FIELDS.map((field) => ({ value: `field:${field}`, label: t(`field.${field}`) })),
    },
    {
      group: t('target.own'),
      items: [{ value: 'trait', label: t('target.trait') }],
    },
    {
      group: t('target.consents'),
      items: [
        ...CHANNELS.map((channel) => ({ value: `consent:${channel}`, label: t(`consent.${channel}`) })),
        { value: 'topic', label: t('target.topic') },
      ],
    },
  ];
  const choose = (chosen: string | null) => {
    const [kind, rest = ''] = (chosen ?? 'skip').split(':');
    switch (kind) {
      case 'field':
        return onChange({ kind: 'field', field: rest });
      case 'consent':
        return onChange({ kind: 'consent', channel: rest });
      case 'topic':
        return onChange({ kind: 'topic', topic: 'news' });
      case 'trait':
        return onChange({ kind: 'trait', name: traitName(head), type: 'text' });
      default:
        return onChange({ kind: 'skip' });
    }
  };
  return (
    <Group gap={6} wrap="wrap" align="flex-start">
      <Select
        size="xs"
        aria-label={t('columns.becomesOf', { head: head.slice(0, 80) })}
        data={data}
        value={value}
        allowDeselect={false}
        searchable
        error={isTwice ? t('columns.twice') : undefined}
        style={{ flex: '1 1 140px' }}
        onChange={choose}
      />
      {target.kind === 'trait' && (
        <>
          <TextInput
            size="xs"
            aria-label={t('target.traitName')}
            value={target.name}
            maxLength={64}
            style={{ flex: '1 1 90px' }}
            onChange={(event) => onChange({ ...target, name: event.currentTarget.value })}
          />
          <Select
            size="xs"
            aria-label={t('target.traitType')}
            allowDeselect={false}
            data={TRAIT_KINDS.map((kind) => ({ value: kind, label: t(`kind.${kind}`) }))}
            value={target.type}
            w={100}
            onChange={(type) => onChange({ ...target, type: type ?? 'text' })}
          />
        </>
      )}
      {target.kind === 'topic' && (
        <TextInput
          size="xs"
          aria-label={t('target.topicName')}
          value={target.topic}
          style={{ flex: '1 1 90px' }}
          onChange={(event) => onChange({ ...target, topic: event.currentTarget.value })}
        />
      )}
    </Group>
  );
}
