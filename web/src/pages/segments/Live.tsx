import { Anchor, Badge, Box, Group, Loader, Paper, Skeleton, Stack, Text } from '@mantine/core';
import { IconArrowDownRight, IconArrowUpRight } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { failureOf } from '../../api/problem';
import { useFormat } from '../../shared/format';
import { ProblemNote } from '../../shared/ProblemNote';
import type { Estimate, SegmentTried } from './api';
import type { Tried } from './useTried';

/** How many would belong, how many come and go, and some of them. */
export function Live({ tried }: { tried: Tried }) {
  const { t } = useTranslation('segments');
  const format = useFormat();
  const { told, isOld, error, problems } = tried;
  if (error !== undefined && failureOf(error).status === 403) {
    return (
      <Text size="sm" c="dimmed">
        {t('live.limited')}
      </Text>
    );
  }
  if (error !== undefined) {
    return <ProblemNote error={error} retry={tried.retry} />;
  }
  return (
    <Paper
      withBorder
      p="sm"
      aria-label={t('live.title')}
      component="section"
      style={{ background: 'var(--relance-card)' }}
    >
      <Group justify="space-between" mb={4}>
        <Text size="xs" fw={600} c="dimmed">
          {t('live.title')}
        </Text>
        {isOld && problems.length === 0 && <Loader size={12} role="status" aria-label={t('live.counting')} />}
      </Group>
      {told === undefined ? (
        <Stack gap={6}>
          <Skeleton height={28} width={110} animate={problems.length === 0} />
          <Skeleton height={12} width={180} animate={problems.length === 0} />
        </Stack>
      ) : (
        <Stack gap="sm" style={{ opacity: isOld ? 0.55 : 1 }} aria-live="polite" aria-busy={isOld}>
          {told.segments.map((one) => (
            <One key={one.id} tried={one} isAlone={told.segments.length === 1} />
          ))}
          <Text size="xs" c="dimmed">
            {told.exact
              ? t('live.exact', { count: told.contacts, number: format.number(told.contacts) })
              : t('live.sampled', {
                  looked: format.number(told.looked_at),
                  contacts: format.number(told.contacts),
                })}
          </Text>
        </Stack>
      )}
    </Paper>
  );
}

function One({ tried, isAlone }: { tried: SegmentTried; isAlone: boolean }) {
  const { t } = useTranslation('segments');
  const format = useFormat();
  const { members, entering, leaving, sample = [] } = tried;
  if (members === undefined) {
    return <Text size="sm">{t('live.list')}</Text>;
  }
  return (
    <Box>
      <Group gap="xs" align="baseline">
        {!isAlone && (
          <Text size="sm" fw={600} className="breaks" lineClamp={1}>
            {tried.name}
          </Text>
        )}
        <Text fz={isAlone ? 28 : 18} fw={650} lh={1.2} className="numbers">
          {members.exact ? '' : '≈ '}
          {format.number(members.count)}
        </Text>
        {isAlone && <Text size="sm">{t('live.members', { count: members.count })}</Text>}
      </Group>
      {!members.exact && (
        <Text size="xs" c="dimmed">
          {t('live.between', { low: format.number(members.low), high: format.number(members.high) })}
        </Text>
      )}
      <Group gap={6} mt={4}>
        {entering !== undefined && entering.count > 0 && (
          <Badge variant="light" color="green" tt="none" leftSection={<IconArrowUpRight size={12} />}>
            {t('live.entering', { number: about(entering, format.number) })}
          </Badge>
        )}
        {leaving !== undefined && leaving.count > 0 && (
          <Badge variant="light" color="red" tt="none" leftSection={<IconArrowDownRight size={12} />}>
            {t('live.leaving', { number: about(leaving, format.number) })}
          </Badge>
        )}
      </Group>
      {isAlone && sample.length > 0 && (
        <Stack gap={2} mt="xs" component="ul" style={{ listStyle: 'none', padding: 0, marginBottom: 0 }}>
          {sample.map((one) => (
            <li key={one.id}>
              <Group gap={6} wrap="nowrap">
                <Anchor
                  component={Link}
                  to="/contacts/$id"
                  params={{ id: one.id } as never}
                  size="sm"
                  lineClamp={1}
                  className="breaks"
                  style={{ minWidth: 0 }}
                >
                  {one.name ?? one.email ?? one.phone ?? one.id}
                </Anchor>
                {one.name !== undefined && (
                  <Text size="xs" c="dimmed" lineClamp={1} className="breaks" style={{ minWidth: 0 }}>
                    {one.email ?? one.phone}
                  </Text>
                )}
              </Group>
            </li>
          ))}
        </Stack>
      )}
    </Box>
  );
}

/** A number, with a word of caution where it is an estimate. */
export function about(estimate: Estimate, number: (value: number) => string): string {
  return estimate.exact ? number(estimate.count) : `≈ ${number(estimate.count)}`;
}
