/** What follow-ups brought beyond the control group, what they cost, and what each unit of cost brought. */
import { Anchor, Paper, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { components } from '../../api/schema';
import { useFormat } from '../../shared/format';
import { useMay } from '../../shell/useSession';

export type SalesEffect = components['schemas']['SalesEffect'];
type Costs = components['schemas']['SalesCosts'];

/** Each currency has a part of its own; those of which nothing is followed are not shown beside others. */
export function Effects({ effects, costs }: { effects: SalesEffect[]; costs: Costs | null }) {
  const { t } = useTranslation('reports');
  const followed = effects.filter((one) => one.followed + one.held_out > 0);
  const shown = followed.length > 0 ? followed : effects.slice(0, 1);
  if (shown.length === 0) {
    return null;
  }
  return (
    <Stack component="section" gap="xs" aria-label={t('effect.title')}>
      <div>
        <Title order={2} size="h5">
          {t('effect.title')}
        </Title>
        <Text size="sm" c="dimmed">
          {t('effect.text')}
        </Text>
      </div>
      {shown.map((one) => (
        <One key={one.currency} effect={one} costs={costs} />
      ))}
    </Stack>
  );
}

function One({ effect, costs }: { effect: SalesEffect; costs: Costs | null }) {
  const { t } = useTranslation('reports');
  const format = useFormat();
  const may = useMay();
  const { brought, roi, cost, currency } = effect;
  const why = useWhyNot(effect);
  const money = (amount: string) => format.amount(amount, currency);
  const times = (value: number) => format.number(Math.round(value * 10) / 10);
  return (
    <Paper withBorder p="md" radius="md">
      <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="lg">
        <Figure
          name={t('effect.brought')}
          value={brought === null ? undefined : money(brought.amount)}
          more={
            brought === null
              ? why
              : t('effect.interval', { low: money(brought.low), high: money(brought.high) })
          }
        />
        <Figure
          name={t('effect.cost')}
          value={cost === null ? undefined : money(cost)}
          none={t('effect.unset')}
          more={
            cost !== null ? (
              t('effect.reminders', { count: effect.reminders, number: format.number(effect.reminders) })
            ) : costs !== null ? (
              t('effect.otherCurrency', { currency: costs.currency })
            ) : may('settings') ? (
              <Anchor component={Link} to="/settings/workspace" size="xs">
                {t('effect.toSettings')}
              </Anchor>
            ) : (
              t('effect.unsetText')
            )
          }
        />
        <Figure
          name={t('effect.roi')}
          value={roi === null ? undefined : t('effect.times', { value: times(roi.value) })}
          none="–"
          more={roi === null ? '' : t('effect.interval', { low: times(roi.low), high: times(roi.high) })}
        />
      </SimpleGrid>
      <Text size="xs" c="dimmed" mt="sm">
        {t('effect.followed', {
          count: effect.followed,
          number: format.number(effect.followed),
          held: format.number(effect.held_out),
        })}
        {brought !== null &&
          brought.measured < effect.followed &&
          ` · ${t('effect.partly', { measured: format.number(brought.measured) })}`}
      </Text>
    </Paper>
  );
}

type FigureProps = { name: string; value: string | undefined; none?: string; more: ReactNode };

function Figure({ name, value, none, more }: FigureProps) {
  const { t } = useTranslation('reports');
  return (
    <Stack gap={2}>
      <Text size="xs" c="dimmed">
        {name}
      </Text>
      <Text
        size={value === undefined ? 'md' : 'xl'}
        fw={600}
        className="numbers breaks"
        {...(value === undefined ? { c: 'dimmed' } : {})}
      >
        {value ?? none ?? t('effect.notYet')}
      </Text>
      <Text size="xs" c="dimmed" component="div">
        {more}
      </Text>
    </Stack>
  );
}

const REASONS = ['no_journey', 'no_control_group', 'few_held_out', 'few_followed'] as const;

/** Why nothing can be said of what was brought, in words; nothing where it can. */
export function useWhyNot(effect: SalesEffect): string {
  const { t } = useTranslation('reports');
  const reason = REASONS.find((one) => one === effect.missing);
  return reason === undefined ? '' : t(`effect.missing.${reason}`, { count: effect.wanted ?? 0 });
}
