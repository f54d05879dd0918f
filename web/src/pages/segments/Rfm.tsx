import { Alert, Button, Group, Paper, Skeleton, Stack, Table, Text } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../shared/format';
import { ProblemNote } from '../../shared/ProblemNote';
import { tellDone, tellFailure } from '../../shared/tell';
import { useMay } from '../../shell/useSession';
import { type Rfm as RfmShown, segments } from './api';
import { RFM_GROUPS } from './condition';

/** Recency, frequency, money: where the fifths of all customers end, and what the groups mean. */
export function Rfm() {
  const { t } = useTranslation('segments');
  const format = useFormat();
  const may = useMay()('segments');
  const queries = useQueryClient();
  const query = useQuery({ queryKey: ['segments', 'rfm'], queryFn: segments.rfm });
  const again = useMutation({
    mutationFn: segments.rfmNow,
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['segments'] });
      tellDone(t('rfm.told'));
    },
    onError: tellFailure,
  });
  if (query.isError) {
    return <ProblemNote error={query.error} retry={() => query.refetch()} />;
  }
  if (query.data === undefined) {
    return <Skeleton height={220} />;
  }
  const { data } = query;
  return (
    <Stack gap="md">
      <Group justify="space-between" gap="sm">
        <Text size="sm" maw={720}>
          {t('rfm.lead')}
        </Text>
        {may && (
          <Button
            variant="default"
            leftSection={<IconRefresh size={16} />}
            loading={again.isPending}
            onClick={() => again.mutate()}
          >
            {t('rfm.again')}
          </Button>
        )}
      </Group>
      <Group gap="xl">
        <Fact label={t('rfm.customers')} value={format.number(data.customers)} />
        <Fact label={t('rfm.at')} value={data.at === null ? t('rfm.never') : format.moment(data.at)} />
        <Fact label={t('rfm.order')} value={orderOf(data)} />
      </Group>
      {data.bounds === null ? (
        <Alert color="blue" variant="light" title={t('rfm.none')}>
          {t('rfm.noneText')}
        </Alert>
      ) : (
        <Bounds bounds={data.bounds} />
      )}
      <Groups />
    </Stack>
  );
}

function orderOf({ order }: RfmShown): string {
  const amount = Array.isArray(order.amount) ? order.amount.join(', ') : order.amount;
  return [order.event, amount].filter((one) => one !== undefined && one !== '').join(' · ');
}

function Fact({ label, value }: { label: string; value: string }) {
  return (
    <div>
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <Text size="sm" fw={600} className="numbers breaks">
        {value}
      </Text>
    </div>
  );
}

/** The stretch that each score stands for. */
function Bounds({ bounds }: { bounds: NonNullable<RfmShown['bounds']> }) {
  const { t } = useTranslation('segments');
  const format = useFormat();
  const number = (value: number) => format.number(Math.round(value * 100) / 100);
  // Five scores have four edges; a small recency is a high score.
  const stretches = (edges: number[], isLessBetter: boolean) => {
    const [first, last] = [edges[0] ?? 0, edges[3] ?? 0];
    const upTo = (at: number) => `${number(edges[at - 1] ?? 0)} – ${number(edges[at] ?? 0)}`;
    const rising = [`≤ ${number(first)}`, upTo(1), upTo(2), upTo(3), `> ${number(last)}`];
    return isLessBetter ? rising.reverse() : rising;
  };
  const rows: [string, string[]][] = [
    ['recency', stretches(bounds.recency_days, true)],
    ['frequency', stretches(bounds.orders, false)],
    ['monetary', stretches(bounds.money, false)],
  ];
  return (
    <Paper withBorder style={{ background: 'var(--relance-card)' }}>
      <Table.ScrollContainer
        minWidth={560}
        type="native"
        tabIndex={0}
        role="region"
        aria-label={t('rfm.score')}
      >
        <Table fz="sm" verticalSpacing={8} className="numbers">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('rfm.score')}</Table.Th>
              {[1, 2, 3, 4, 5].map((score) => (
                <Table.Th key={score} ta="right">
                  {score}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map(([name, cells]) => (
              <Table.Tr key={name}>
                <Table.Th scope="row" fw={500}>
                  {t(`rfm.bounds.${name}`)}
                </Table.Th>
                {cells.map((cell, at) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: the place is the score
                  <Table.Td key={at} ta="right" style={{ whiteSpace: 'nowrap' }}>
                    {cell}
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Paper>
  );
}

function Groups() {
  const { t } = useTranslation('segments');
  return (
    <Paper withBorder style={{ background: 'var(--relance-card)' }}>
      <Table fz="sm" verticalSpacing={8}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={200}>{t('rfm.groupTitle')}</Table.Th>
            <Table.Th>{t('rfm.meaning')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {RFM_GROUPS.map((group) => (
            <Table.Tr key={group}>
              <Table.Th scope="row" fw={500}>
                {t(`rfm.group.${group}`)}
              </Table.Th>
              <Table.Td c="dimmed">{t(`rfm.about.${group}`)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Paper>
  );
}
