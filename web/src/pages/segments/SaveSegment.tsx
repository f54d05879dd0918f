import { Alert, Checkbox, Group, Loader, Stack, Table, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { SaveDialog } from '../../shared/editing/SaveParts';
import { useFormat } from '../../shared/format';
import { ProblemNote } from '../../shared/ProblemNote';
import { type Planned, type Storm, segments } from './api';
import { Mistakes } from './Definition';
import { about } from './Live';
import { problemsOf } from './useTried';

type Props = {
  id: string;
  opened: boolean;
  onClose: () => void;
  before: string;
  text: string;
  isSaving: boolean;
  onSave: (confirm: number | undefined) => void;
};

/** What saving changes: who comes and goes, which journeys hear of it; a storm needs a word of its own. */
export function SaveSegment({ id, opened, onClose, before, text, isSaving, onSave }: Props) {
  const { t } = useTranslation('segments');
  const [agreed, setAgreed] = useState<number>();
  const plan = useQuery({
    queryKey: ['segments', 'plan', id, text],
    queryFn: ({ signal }) => segments.plan(id, text, signal),
    enabled: opened,
    retry: false,
    gcTime: 0,
  });
  const mistakes = problemsOf(plan.error);
  const storm = plan.data?.storm ?? undefined;
  const mustAgree = storm !== undefined && storm.contacts > storm.limit;
  const isAgreed = !mustAgree || agreed === storm?.contacts;
  return (
    <SaveDialog
      opened={opened}
      onClose={onClose}
      changes={[{ name: `segments/${id}.yaml`, before, after: text }]}
      onSave={() => onSave(mustAgree ? storm?.contacts : undefined)}
      isSaving={isSaving}
      disabled={plan.isPending || mistakes !== undefined || !isAgreed}
    >
      {plan.isFetching && plan.data === undefined && (
        <Group gap="xs">
          <Loader size="xs" />
          <Text size="sm">{t('plan.counting')}</Text>
        </Group>
      )}
      {mistakes !== undefined && <Mistakes problems={mistakes} />}
      {plan.isError && mistakes === undefined && (
        <ProblemNote error={plan.error} retry={() => plan.refetch()} />
      )}
      {plan.data !== undefined && <Plan planned={plan.data} />}
      {storm !== undefined && (
        <StormNote
          storm={storm}
          mustAgree={mustAgree}
          isAgreed={isAgreed}
          onAgree={(yes) => setAgreed(yes ? storm.contacts : undefined)}
        />
      )}
    </SaveDialog>
  );
}

function Plan({ planned }: { planned: Planned }) {
  const { t } = useTranslation('segments');
  const format = useFormat();
  const rows = Object.entries(planned.segments ?? {});
  return (
    <Stack gap="xs">
      {rows.length > 0 && (
        <Table.ScrollContainer
          minWidth={420}
          type="native"
          tabIndex={0}
          role="region"
          aria-label={t('plan.segment')}
        >
          <Table withRowBorders verticalSpacing={6} fz="sm">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t('plan.segment')}</Table.Th>
                <Table.Th ta="right">{t('plan.now')}</Table.Th>
                <Table.Th ta="right">{t('plan.after')}</Table.Th>
                <Table.Th ta="right">{t('plan.entering')}</Table.Th>
                <Table.Th ta="right">{t('plan.leaving')}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody className="numbers">
              {rows.map(([id, one]) => (
                <Table.Tr key={id}>
                  <Table.Td className="breaks">
                    {id}{' '}
                    <Text span size="xs" c="dimmed">
                      {t(`plan.what.${one.what}`)}
                    </Text>
                  </Table.Td>
                  <Table.Td ta="right">{format.number(one.members)}</Table.Td>
                  <Table.Td ta="right">
                    {one.after === undefined ? '' : about(one.after, format.number)}
                  </Table.Td>
                  <Table.Td ta="right">
                    {one.entering === undefined ? '' : about(one.entering, format.number)}
                  </Table.Td>
                  <Table.Td ta="right">
                    {one.leaving === undefined ? '' : about(one.leaving, format.number)}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {(planned.warnings ?? []).map((one) => (
        <Text key={one.text} size="sm" className="breaks">
          {one.text}
        </Text>
      ))}
    </Stack>
  );
}

type StormProps = {
  storm: Storm;
  mustAgree: boolean;
  isAgreed: boolean;
  onAgree: (yes: boolean) => void;
};

function StormNote({ storm, mustAgree, isAgreed, onAgree }: StormProps) {
  const { t } = useTranslation('segments');
  const format = useFormat();
  return (
    <Alert
      color="orange"
      variant="light"
      icon={<IconAlertTriangle aria-hidden />}
      title={t('storm.title', { count: storm.contacts, number: format.number(storm.contacts) })}
    >
      <Stack gap="xs">
        {storm.journeys.map((one) => (
          <Text key={`${one.journey} ${one.segment}`} size="sm" className="breaks">
            {t(`storm.by.${one.by}`, {
              journey: one.journey,
              segment: one.segment,
              number: about(one.contacts, format.number),
            })}
          </Text>
        ))}
        {mustAgree && (
          <Checkbox
            checked={isAgreed}
            onChange={(event) => onAgree(event.currentTarget.checked)}
            label={t('storm.agree', { number: format.number(storm.contacts) })}
          />
        )}
      </Stack>
    </Alert>
  );
}
