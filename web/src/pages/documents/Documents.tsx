/** The registry: every invoice and offer, whose it is, where it stands, and what happens next. */
import { Anchor, Button, Group, Menu, Skeleton, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconDownload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Column, DataList, Empty } from '../../shared/DataList';
import { useFormat } from '../../shared/format';
import { Page } from '../../shared/Page';
import { useAddress } from '../../shared/useAddress';
import { useSelection } from '../../shared/useSelection';
import { useMay, useSession } from '../../shell/useSession';
import { type DocumentRow, type Filters, factsOf, loadDocuments, loadTotals } from './api';
import { Due, NextWords, StateBadge } from './DocumentBadges';
import { FilterBar } from './FilterBar';
import { FollowUp } from './FollowUp';
import { filtersOf, keptOf, only, queryOf, sortOf } from './filters';
import { usePaid } from './usePaid';
import { Views } from './Views';

/** Keys of rows part the contact from the document by what stands in neither. */
const keyOf = (row: Pick<DocumentRow, 'contact' | 'id'>) => `${row.contact}\n${row.id}`;
const rowOf = (key: string) => {
  const end = key.indexOf('\n');
  return { contact: key.slice(0, end), id: key.slice(end + 1) };
};

/** Documents that one file is asked for by their names. */
const CHOSEN_MAX = 500;

/** A workbook of what was chosen: each in a line of its own, contact and document. */
function chosenHref(keys: readonly string[]): string {
  const ids = keys.map((key) => key.replace('\n', '/')).join('\n');
  return `/api/v1/export/documents?format=xlsx&ids=${encodeURIComponent(ids)}`;
}

export function Documents() {
  const { t } = useTranslation('documents');
  const may = useMay();
  const navigate = useNavigate();
  const [address, change] = useAddress();
  const filters = filtersOf(address);
  const sort = sortOf(address);
  const selection = useSelection();
  const columns = useColumns();
  const paid = usePaid();
  const [isCut, setCut] = useState(false);
  const totals = useQuery({
    queryKey: ['documents', 'totals', filters],
    queryFn: ({ signal }) => loadTotals(filters, signal),
  });
  const isFiltered = Object.keys(filters).length > 0;
  const currencies = totals.data?.items.flatMap((one) => one.currency ?? []) ?? [];
  return (
    <Page
      title={t('title')}
      lead={<Totals totals={totals.data} isPending={totals.isPending} />}
      actions={may('export') && <Export filters={filters} />}
    >
      <Views address={address} change={change} />
      <FilterBar filters={filters} currencies={currencies} change={change} />
      {selection.keys.length > 0 && (
        <Group gap="xs" role="toolbar" aria-label={t('selected', { count: selection.keys.length })}>
          <Text size="sm">{t('selected', { count: selection.keys.length })}</Text>
          {may('work') && (
            <Button
              size="xs"
              onClick={() => {
                paid(selection.keys.map(rowOf));
                selection.clear();
              }}
            >
              {t('markPaid')}
            </Button>
          )}
          {may('work') && <FollowUp rows={selection.keys.map(rowOf)} done={selection.clear} />}
          {may('export') && (
            <Button
              size="xs"
              variant="default"
              component="a"
              href={chosenHref(selection.keys)}
              download
              disabled={selection.keys.length > CHOSEN_MAX}
            >
              {t('exportChosen')}
            </Button>
          )}
          <Button size="xs" variant="subtle" color="gray" onClick={selection.clear}>
            {t('clear')}
          </Button>
        </Group>
      )}
      {isCut && (
        <Text size="sm" c="dimmed" role="status">
          {t('cut')}
        </Text>
      )}
      <DataList
        label={t('title')}
        queryKey={['documents', 'list', filters, sort]}
        load={async (cursor, signal) => {
          const page = await loadDocuments({ ...filters, sort: sort.by, order: sort.order }, cursor, signal);
          setCut(page.cut === true);
          return page;
        }}
        rowKey={keyOf}
        columns={columns}
        sort={sort}
        onSort={({ by, order }) => change({ sort: by, order })}
        onOpen={(row) =>
          navigate({
            to: '/documents/$contact/$document',
            params: { contact: row.contact, document: row.id },
          })
        }
        selection={may('work') ? selection : undefined}
        rowLabel={(row) => factsOf(row).number}
        empty={
          isFiltered ? (
            <Empty
              title={t('noneFound')}
              action={{
                label: t('filter.clear'),
                run: () => change({ ...only(keptOf({})), view: undefined }),
              }}
            />
          ) : (
            <Empty title={t('none.title')} text={t('none.text')} />
          )
        }
      />
    </Page>
  );
}

/** Below it there is no room for both the owner and the day of issue. */
const ROOMY = '(min-width: 90em)';

function useColumns(): Column<DocumentRow>[] {
  const { t, i18n } = useTranslation('documents');
  const format = useFormat();
  const roomy = useMediaQuery(ROOMY, true) ?? true;
  // A salesperson's documents are all their own.
  const showsOwner = useSession()?.user?.role !== 'salesperson';
  return useMemo(() => {
    const all: Column<DocumentRow>[] = [
      {
        key: 'number',
        title: t('column.number'),
        sort: 'number',
        width: 'minmax(124px, 0.8fr)',
        render: (row) => {
          const { number, kind } = factsOf(row);
          return (
            <div style={{ minWidth: 0 }}>
              <Anchor
                size="sm"
                fw={500}
                lineClamp={1}
                renderRoot={(props) => (
                  <Link
                    {...props}
                    to="/documents/$contact/$document"
                    params={{ contact: row.contact, document: row.id }}
                  />
                )}
              >
                {number}
              </Anchor>
              <Text size="xs" c="dimmed" truncate>
                {i18n.exists(`kind.${kind}`, { ns: 'documents' }) ? t(`kind.${kind}`) : kind}
              </Text>
            </div>
          );
        },
      },
      {
        key: 'client',
        title: t('column.client'),
        sort: 'client',
        width: 'minmax(120px, 1.3fr)',
        render: (row) => (
          <Text size="sm" lineClamp={2} className="breaks">
            {factsOf(row).client ?? factsOf(row).to ?? row.contact}
          </Text>
        ),
      },
      {
        key: 'amount',
        title: t('column.amount'),
        sort: 'amount',
        align: 'right',
        width: '122px',
        render: (row) => {
          const { amount, currency } = factsOf(row);
          return (
            <Text span size="sm" truncate title={format.amount(amount, currency)}>
              {format.amount(amount, currency)}
            </Text>
          );
        },
      },
      {
        key: 'issued',
        title: t('column.issued'),
        sort: 'issued',
        width: '100px',
        from: 'md',
        render: (row) => format.brief(factsOf(row).issued),
      },
      {
        key: 'due',
        title: t('column.due'),
        sort: 'due',
        width: '106px',
        render: (row) => <Due row={row} />,
      },
      {
        key: 'state',
        title: t('column.state'),
        width: '106px',
        render: (row) => <StateBadge row={row} />,
      },
      {
        key: 'owner',
        title: t('column.owner'),
        sort: 'owner',
        width: '124px',
        from: 'lg',
        render: (row) => (
          <Text size="sm" truncate title={row.owner ?? undefined}>
            {row.owner?.split('@')[0] ?? ''}
          </Text>
        ),
      },
      {
        key: 'next',
        title: t('column.next'),
        sort: 'next',
        width: 'minmax(120px, 1fr)',
        from: 'md',
        render: (row) => <NextWords next={row.next} />,
      },
    ];
    const left = showsOwner && !roomy ? 'issued' : showsOwner ? undefined : 'owner';
    return all.filter((column) => column.key !== left);
  }, [t, i18n, format, roomy, showsOwner]);
}

type TotalsProps = { totals: Awaited<ReturnType<typeof loadTotals>> | undefined; isPending: boolean };

/** How many there are, and what they amount to in each currency. */
function Totals({ totals, isPending }: TotalsProps) {
  const { t } = useTranslation('documents');
  const format = useFormat();
  if (totals === undefined) {
    return isPending ? <Skeleton height={18} width={260} /> : null;
  }
  const { count } = totals;
  const sums = totals.items.filter((one) => one.currency !== null && Number(one.amount) !== 0);
  const words = t(totals.exact ? 'totals' : 'totalsMore', { count, number: format.number(count) });
  return (
    <span className="numbers">
      {[words, ...sums.map((one) => format.amount(one.amount, one.currency))].join(' · ')}
    </span>
  );
}

function Export({ filters }: { filters: Filters }) {
  const { t } = useTranslation('documents');
  const href = (format: string) => {
    const query = queryOf(filters);
    query.set('format', format);
    return `/api/v1/export/documents?${query}`;
  };
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default" size="sm" leftSection={<IconDownload size={16} aria-hidden />}>
          {t('export')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component="a" href={href('csv')} download>
          {t('exportCsv')}
        </Menu.Item>
        <Menu.Item component="a" href={href('xlsx')} download>
          {t('exportXlsx')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
