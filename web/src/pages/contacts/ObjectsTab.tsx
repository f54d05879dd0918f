import { Anchor, Badge, Stack, Table, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { type Column, DataList, Empty } from '../../shared/DataList';
import { useFormat } from '../../shared/format';
import { loadObjects, type ObjectRow } from './api';

/** Fields of an object that are shown beside its name. */
const FIELDS_MAX = 6;
const NAMED = ['number', 'name', 'title'];
const SHOWN_ELSEWHERE = new Set([
  ...NAMED,
  'amount',
  'currency',
  'total',
  'status',
  'stage',
  'references',
  'message_id',
  'mail_subject',
]);

/** Documents, deals, orders and carts of a contact. */
export function ObjectsTab({ id }: { id: string }) {
  const { t } = useTranslation('contacts');
  const columns = useColumns(id);
  return (
    <DataList
      label={t('tab.objects')}
      queryKey={['contacts', 'objects', id]}
      load={(cursor, signal) => loadObjects(id, cursor, signal)}
      rowKey={(row) => `${row.kind}:${row.id}`}
      columns={columns}
      empty={<Empty title={t('objectsNone.title')} text={t('objectsNone.text')} />}
    />
  );
}

/** How an object is called: its number or name, else its id. */
export function objectName(row: Pick<ObjectRow, 'id' | 'fields'>): string {
  return NAMED.map((one) => text(row.fields[one])).find((one) => one !== undefined) ?? row.id;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function useColumns(contact: string): Column<ObjectRow>[] {
  const { t, i18n } = useTranslation('contacts');
  const format = useFormat();
  return useMemo(
    () => [
      {
        key: 'kind',
        title: t('objectKind'),
        width: '130px',
        render: (row) => {
          const key = `object.${row.kind}`;
          return (
            <Badge variant="light" color="gray" radius="sm" tt="none">
              {i18n.exists(key, { ns: 'contacts' }) ? t(key) : row.kind}
            </Badge>
          );
        },
      },
      {
        key: 'name',
        title: t('name'),
        width: 'minmax(160px, 1.4fr)',
        render: (row) => {
          const name = objectName(row);
          return row.kind === 'document' ? (
            <Anchor
              size="sm"
              fw={500}
              lineClamp={2}
              renderRoot={(props) => (
                <Link {...props} to="/documents/$contact/$document" params={{ contact, document: row.id }} />
              )}
            >
              {name}
            </Anchor>
          ) : (
            <Text size="sm" fw={500} lineClamp={2} className="breaks">
              {name}
            </Text>
          );
        },
      },
      {
        key: 'state',
        title: t('objectState'),
        width: 'minmax(100px, 0.8fr)',
        render: (row) => (
          <Text size="sm" truncate>
            {text(row.fields.status) ?? text(row.fields.stage) ?? ''}
          </Text>
        ),
      },
      {
        key: 'amount',
        title: t('amount'),
        align: 'right',
        width: 'minmax(110px, 0.8fr)',
        render: (row) => {
          const amount = text(row.fields.amount) ?? text(row.fields.total);
          return amount === undefined || Number.isNaN(Number(amount))
            ? ''
            : format.amount(amount, text(row.fields.currency));
        },
      },
      {
        key: 'fields',
        title: t('objectFields'),
        width: 'minmax(180px, 2fr)',
        from: 'md',
        render: (row) => <Fields fields={row.fields} />,
      },
      {
        key: 'updated',
        title: t('updated'),
        width: '130px',
        from: 'md',
        render: (row) => format.brief(row.updated_at),
      },
    ],
    [t, i18n, format, contact],
  );
}

function Fields({ fields }: { fields: Record<string, unknown> }) {
  const shown = Object.entries(fields)
    .flatMap(([name, value]) => {
      const words = text(value);
      return words === undefined || SHOWN_ELSEWHERE.has(name) ? [] : [[name, words] as const];
    })
    .slice(0, FIELDS_MAX);
  return (
    <Text size="xs" c="dimmed" lineClamp={2} className="breaks">
      {shown.map(([name, value]) => `${name}: ${value}`).join(' · ')}
    </Text>
  );
}

/** Traits as they are held, for whoever asks what is known. */
export function TraitsTable({ traits }: { traits: Record<string, unknown> }) {
  const { t } = useTranslation('contacts');
  const entries = Object.entries(traits);
  return entries.length === 0 ? (
    <Text size="sm" c="dimmed">
      {t('traitsNone')}
    </Text>
  ) : (
    <Stack gap={0}>
      <Table verticalSpacing={5} horizontalSpacing={6} aria-label={t('traits')} layout="fixed">
        <Table.Tbody>
          {entries.map(([name, value]) => (
            <Table.Tr key={name}>
              <Table.Th fw={400} c="dimmed" w="38%" className="breaks">
                <Text size="sm" lineClamp={2}>
                  {name}
                </Text>
              </Table.Th>
              <Table.Td className="breaks">
                <Text size="sm" lineClamp={4}>
                  {text(value) ?? JSON.stringify(value)}
                </Text>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Stack>
  );
}
