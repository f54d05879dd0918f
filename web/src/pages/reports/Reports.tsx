/** Documents by salesperson, team or month: how many, what share is answered and paid, what reminders brought. */
import {
  Alert,
  Button,
  Group,
  SegmentedControl,
  Select,
  Skeleton,
  Stack,
  Table,
  Text,
  Tooltip,
} from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { answer, api } from '../../api/client';
import type { components } from '../../api/schema';
import { Empty } from '../../shared/DataList';
import { useFormat } from '../../shared/format';
import { Page } from '../../shared/Page';
import { ProblemNote } from '../../shared/ProblemNote';
import { textOf, useAddress } from '../../shared/useAddress';
import { useMay } from '../../shell/useSession';
import { Effects, type SalesEffect, useWhyNot } from './Effect';
import { SPANS, spanOf } from './spans';

type Row = components['schemas']['SalesRow'];
type Arm = components['schemas']['SalesArm'];

const BY = ['owner', 'team', 'month'] as const;
const KINDS = ['invoice', 'offer'] as const;

export function Reports() {
  const { t, i18n } = useTranslation('reports');
  const format = useFormat();
  const may = useMay();
  const [address, change] = useAddress();
  const by = BY.find((one) => one === textOf(address.by)) ?? 'owner';
  const span = SPANS.find((one) => one === textOf(address.span)) ?? 'month';
  const kind = KINDS.find((one) => one === textOf(address.kind));
  const asked = { ...spanOf(span, new Date()), by, ...(kind === undefined ? {} : { kind }) };
  const { data, error, isError, refetch } = useQuery({
    queryKey: ['documents', 'sales', asked],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/reports/sales', { params: { query: asked }, signal })),
    placeholderData: keepPreviousData,
  });
  const file = `/api/v1/reports/sales?${new URLSearchParams({ ...asked, format: 'csv' })}`;
  return (
    <Page
      title={t('title')}
      lead={
        data === undefined
          ? t('lead')
          : t('span', {
              from: format.day(data.from),
              to: format.day(data.to),
              days: format.number(data.working_days),
            })
      }
      actions={
        may('export') && (
          <Button
            component="a"
            href={file}
            download
            variant="default"
            leftSection={<IconDownload size={16} aria-hidden />}
          >
            {t('export')}
          </Button>
        )
      }
    >
      <Group gap="sm">
        <SegmentedControl
          aria-label={t('by.label')}
          value={by}
          onChange={(next) => change({ by: next === 'owner' ? undefined : next })}
          data={BY.map((one) => ({ value: one, label: t(`by.${one}`) }))}
        />
        <Select
          aria-label={t('spans.label')}
          w={190}
          value={span}
          allowDeselect={false}
          onChange={(next) => change({ span: next === 'month' || next === null ? undefined : next })}
          data={SPANS.map((one) => ({ value: one, label: t(`spans.${one}`) }))}
        />
        <Select
          aria-label={t('kinds.label')}
          w={190}
          value={kind ?? 'all'}
          allowDeselect={false}
          onChange={(next) => change({ kind: next === 'all' || next === null ? undefined : next })}
          data={['all', ...KINDS].map((one) => ({ value: one, label: t(`kinds.${one}`) }))}
        />
      </Group>
      {isError && data === undefined && <ProblemNote error={error} retry={() => refetch()} />}
      {data === undefined && !isError && <Skeleton height={280} />}
      {data?.exact === false && (
        <Alert color="yellow" variant="light" role="status">
          {t('cut')}
        </Alert>
      )}
      {data !== undefined && data.items.length === 0 && (
        <Empty title={t('none.title')} text={t('none.text')} />
      )}
      {data !== undefined && data.items.length > 0 && (
        <>
          <Effects effects={data.effects} costs={data.costs} />
          <Table.ScrollContainer
            minWidth={1320}
            type="native"
            tabIndex={0}
            role="region"
            aria-label={t('title')}
          >
            <Table verticalSpacing={8} fz="sm" className="numbers">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>{t(`by.${by}`)}</Table.Th>
                  {COLUMNS.map((one) => (
                    <Table.Th key={one} ta="right">
                      {t(`column.${one}`)}
                    </Table.Th>
                  ))}
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {data.items.map((row) => (
                  <Table.Tr key={`${row.key} ${row.currency}`}>
                    <Table.Td className="breaks" maw={240}>
                      {by === 'month' ? monthOf(row.key, i18n.language) : row.name || row.key || t('nobody')}
                    </Table.Td>
                    {COLUMNS.map((one) => (
                      <Table.Td key={one} ta="right">
                        <Cell row={row} column={one} />
                      </Table.Td>
                    ))}
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
          <Text size="xs" c="dimmed">
            {t('note', { count: data.within_days })}
          </Text>
        </>
      )}
    </Page>
  );
}

const COLUMNS = [
  'documents',
  'perDay',
  'amount',
  'answered',
  'paid',
  'days',
  'reminded',
  'heldOut',
  'brought',
  'effect',
  'cost',
  'roi',
] as const;

function Cell({ row, column }: { row: Row; column: (typeof COLUMNS)[number] }) {
  const { t } = useTranslation('reports');
  const format = useFormat();
  const rounded = (value: number | null) =>
    value === null ? '–' : format.number(Math.round(value * 10) / 10);
  const share = (value: number | null) => (value === null ? '–' : format.share(value));
  switch (column) {
    case 'documents':
      return format.number(row.documents);
    case 'perDay':
      return rounded(row.per_working_day);
    case 'amount':
      return format.amount(row.amount, row.currency);
    case 'answered':
      return share(row.answered_share);
    case 'paid':
      return <Two main={share(row.paid_share)} more={format.amount(row.paid_amount, row.currency)} />;
    case 'days':
      return rounded(row.days_to_payment);
    case 'reminded':
      return <ArmCell arm={row.reminded} />;
    case 'heldOut':
      return <ArmCell arm={row.held_out} />;
    case 'brought':
      return (
        <Two
          main={format.amount(row.brought_amount, row.currency)}
          more={t('documents', { count: row.brought, number: format.number(row.brought) })}
        />
      );
    case 'effect':
      return <EffectCell effect={row.effect} />;
    case 'cost':
      return row.effect.cost === null ? '–' : format.amount(row.effect.cost, row.currency);
    case 'roi':
      return row.effect.roi === null ? '–' : t('effect.times', { value: rounded(row.effect.roi.value) });
  }
}

/** What share was paid, and between which it lies: of few documents it says little. */
function ArmCell({ arm }: { arm: Arm }) {
  const { t } = useTranslation('reports');
  const format = useFormat();
  if (arm.documents === 0 || arm.paid_share === null) {
    return '–';
  }
  const [low, high] = arm.paid_share_interval ?? [arm.paid_share, arm.paid_share];
  return (
    <Two
      main={format.share(arm.paid_share)}
      more={t('arm', {
        low: format.share(low ?? 0),
        high: format.share(high ?? 1),
        number: format.number(arm.documents),
      })}
    />
  );
}

/** Of few documents nothing is said; why stands beside the dash for whoever asks. */
function EffectCell({ effect }: { effect: SalesEffect }) {
  const { t } = useTranslation('reports');
  const format = useFormat();
  const why = useWhyNot(effect);
  if (effect.brought === null) {
    return (
      <Tooltip label={`${t('effect.notYet')}. ${why}`} multiline maw={280} events={HOVER_AND_FOCUS}>
        <Text span size="xs" c="dimmed" tabIndex={0}>
          {t('effect.notYet')}
        </Text>
      </Tooltip>
    );
  }
  const { amount, low, high } = effect.brought;
  const money = (value: string) => format.amount(value, effect.currency);
  return <Two main={money(amount)} more={`${money(low)} – ${money(high)}`} />;
}

const HOVER_AND_FOCUS = { hover: true, focus: true, touch: true };

function Two({ main, more }: { main: string; more: string }) {
  return (
    <Stack gap={0} align="flex-end">
      <span>{main}</span>
      <Text span size="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }}>
        {more}
      </Text>
    </Stack>
  );
}

/** A month in words; what is none stays as it is. */
function monthOf(key: string, language: string): string {
  const words = new Intl.DateTimeFormat(language, { year: 'numeric', month: 'long', timeZone: 'UTC' });
  return /^\d{4}-(0[1-9]|1[0-2])$/.test(key) ? words.format(new Date(`${key}-01T00:00:00Z`)) : key;
}
