import { Badge, Box, Drawer, Group, Skeleton, Stack, Text, ThemeIcon } from '@mantine/core';
import { IconCheck, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../shared/format';
import { ProblemNote } from '../../shared/ProblemNote';
import { type ConditionPart, segments } from './api';
import { shown } from './builder/values';

type Props = { segment: string; contact: { id: string; name: string } | undefined; onClose: () => void };

/** Why a contact belongs to a segment, or does not: each part of the condition with yes or no. */
export function Why({ segment, contact, onClose }: Props) {
  const { t } = useTranslation('segments');
  const format = useFormat();
  const query = useQuery({
    queryKey: ['segments', segment, 'why', contact?.id],
    queryFn: ({ signal }) => segments.why(segment, contact?.id ?? '', signal),
    enabled: contact !== undefined,
  });
  const { data, isPending, error } = query;
  return (
    <Drawer
      opened={contact !== undefined}
      onClose={onClose}
      position="right"
      size="md"
      title={
        <Text fw={600} className="breaks" lineClamp={2}>
          {t('why.title', { name: contact?.name ?? '' })}
        </Text>
      }
    >
      {isPending && <Skeleton height={120} />}
      {error !== null && <ProblemNote error={error} retry={() => query.refetch()} />}
      {data !== undefined && (
        <Stack gap="sm">
          <Badge color={data.member ? 'green' : 'gray'} variant="light" size="lg" tt="none">
            {t(data.member ? 'why.member' : 'why.noMember')}
          </Badge>
          <Part part={data.because} />
          {data.looked_at_again !== undefined && (
            <Text size="xs" c="dimmed">
              {t('why.again', { when: format.moment(data.looked_at_again) })}
            </Text>
          )}
        </Stack>
      )}
    </Drawer>
  );
}

function Part({ part }: { part: ConditionPart }) {
  const { t } = useTranslation('segments');
  const format = useFormat();
  const { holds, parts = [] } = part;
  return (
    <Box>
      <Group gap="xs" wrap="nowrap" align="flex-start">
        {holds !== undefined && (
          <ThemeIcon
            size={18}
            radius="xl"
            variant="light"
            color={holds ? 'green' : 'red'}
            role="img"
            aria-label={t(holds ? 'why.yes' : 'why.no')}
          >
            {holds ? <IconCheck size={12} /> : <IconX size={12} />}
          </ThemeIcon>
        )}
        <Box style={{ minWidth: 0 }}>
          <Text size="sm" className="breaks">
            {words(part, t)}
          </Text>
          <Known part={part} />
          {part.until !== undefined && (
            <Text size="xs" c="dimmed">
              {t('why.until', { when: format.moment(part.until) })}
            </Text>
          )}
        </Box>
      </Group>
      {parts.length > 0 && (
        <Stack gap={6} mt={6} pl={10} ml={8} style={{ borderLeft: '2px solid var(--relance-line)' }}>
          {parts.map((one, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: parts have no names and do not move
            <Part key={at} part={one} />
          ))}
        </Stack>
      )}
    </Box>
  );
}

type Words = (key: string, values?: Record<string, unknown>) => string;

function words(part: ConditionPart, t: Words): string {
  switch (part.what) {
    case 'field':
      return `${(part.field ?? '').replace(/^contact\./, '')} ${askedWords(part.asked, t)}`;
    case 'did':
      return deedWords(part, t);
    case 'in_segment':
      return t('why.what.in_segment', { segment: part.segment });
    case 'has':
      return t('why.what.has', { kind: part.kind });
    case 'all':
    case 'any':
    case 'not':
    case 'rfm':
    case 'engaged':
    case 'list':
      return t(`why.what.${part.what}`);
    default:
      return part.what;
  }
}

function askedWords(asked: unknown, t: Words): string {
  const [entry] = Object.entries((asked ?? {}) as Record<string, unknown>);
  if (entry === undefined) {
    return '';
  }
  const [word, value] = entry;
  if (word === 'exists') {
    return t(value === false ? 'test.unknown' : 'test.known');
  }
  const relative = (value ?? {}) as { ago?: string; in?: string };
  const told =
    relative.ago === undefined
      ? relative.in === undefined
        ? Array.isArray(value)
          ? value.map(shown).join(', ')
          : shown(value)
        : t('why.in', { span: relative.in })
      : t('why.ago', { span: relative.ago });
  return `${t(`test.${word}`)} ${told}`;
}

function deedWords(part: ConditionPart, t: Words): string {
  const asked = (part.asked ?? {}) as { at_least?: number; at_most?: number; within?: string };
  const span = asked.within === undefined ? '' : ` ${t('why.within', { span: asked.within })}`;
  const often =
    asked.at_most !== undefined
      ? t('why.between', { least: asked.at_least ?? 0, most: asked.at_most })
      : t('why.atLeast', { count: asked.at_least ?? 1 });
  return `${t('why.what.did', { event: part.event })}: ${often}${span}`;
}

/** What is known of the contact. */
function Known({ part }: { part: ConditionPart }) {
  const { t } = useTranslation('segments');
  const format = useFormat();
  const told: string[] = [];
  if (part.what === 'field') {
    told.push(
      part.value === undefined || part.value === null
        ? t('why.unknown')
        : t('why.value', { value: shown(part.value) }),
    );
  }
  if (part.known !== undefined) {
    told.push(t('why.known', { count: part.known }));
  }
  if (part.last !== undefined && part.last !== null) {
    told.push(t('why.last', { when: format.moment(part.last) }));
  }
  if (part.scores !== undefined) {
    const { recency, frequency, monetary } = part.scores;
    told.push(t('why.scores', { recency, frequency, monetary }));
  }
  if (part.missing !== undefined) {
    told.push(t(`why.missing.${part.missing}`));
  }
  return told.length === 0 ? null : (
    <Text size="xs" c="dimmed" className="breaks">
      {told.join(' · ')}
    </Text>
  );
}
