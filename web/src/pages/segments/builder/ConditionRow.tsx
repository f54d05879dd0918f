import { ActionIcon, Box, Button, Code, Group, MultiSelect, Text, Tooltip } from '@mantine/core';
import { IconFilter, IconTrash } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { stringify } from 'yaml';
import { make, put, removePart, rewrite, setNot } from '../change';
import { type Condition, type Leaf, RFM_GROUPS } from '../condition';
import classes from './builder.module.css';
import { useBuilding } from './context';
import { DidRow } from './DidRow';
import { FieldRow } from './FieldRow';
import { GroupEditor } from './GroupEditor';
import { Choice, Typed } from './inputs';

type Props = { parent: Condition; condition: Condition };

/** One condition: what it is, its parts, its end. */
export function ConditionRow({ parent, condition }: Props) {
  const { t } = useTranslation('segments');
  const { edit, isReadOnly } = useBuilding();
  const { what } = condition;
  if (what.kind === 'group') {
    return (
      <Box className={classes.inner}>
        <GroupEditor group={condition} onRemove={() => edit(() => removePart(parent, condition))} />
      </Box>
    );
  }
  return (
    <Group className={classes.row} wrap="nowrap" align="flex-start" gap="xs">
      <Group gap={6} style={{ flex: 1, minWidth: 0 }}>
        {what.kind === 'other' ? (
          <Other condition={condition} />
        ) : (
          <Words condition={condition} leaf={what} />
        )}
      </Group>
      {!isReadOnly && (
        <Tooltip label={t('row.remove')}>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="sm"
            mt={3}
            aria-label={t('row.remove')}
            onClick={() => edit(() => removePart(parent, condition))}
          >
            <IconTrash size={14} />
          </ActionIcon>
        </Tooltip>
      )}
    </Group>
  );
}

/** Whether it holds or does not, in the words of its sort. */
function Not({ condition, kind }: { condition: Condition; kind: Leaf['kind'] }) {
  const { t } = useTranslation('segments');
  const { edit } = useBuilding();
  return (
    <Choice<'is' | 'not'>
      label={t('row.not')}
      value={condition.isNot ? 'not' : 'is'}
      data={[
        { value: 'is', label: t(`is.${kind}`) },
        { value: 'not', label: t(`isNot.${kind}`) },
      ]}
      onChange={(next) => edit(() => setNot(condition, next === 'not'))}
    />
  );
}

function Words({ condition, leaf }: { condition: Condition; leaf: Leaf }) {
  const { t } = useTranslation('segments');
  const { edit, segments, own, objects, isReadOnly } = useBuilding();
  const write = (written: Record<string, unknown>) =>
    edit((document) => rewrite(document, condition, written));
  // Comparisons say "is not" by themselves.
  const not =
    leaf.kind !== 'field' || condition.isNot ? <Not condition={condition} kind={leaf.kind} /> : null;
  switch (leaf.kind) {
    case 'field':
      return (
        <>
          {not}
          <FieldRow condition={condition} leaf={leaf} />
        </>
      );
    case 'did':
      return (
        <>
          {not}
          <DidRow deed={leaf.deed} />
        </>
      );
    case 'in_segment': {
      const known = segments
        .filter((one) => one.id !== own)
        .map((one) => ({ value: one.id, label: one.name === one.id ? one.id : `${one.name} (${one.id})` }));
      const all = known.some((one) => one.value === leaf.segment)
        ? known
        : [...known, { value: leaf.segment, label: leaf.segment }];
      return (
        <>
          {not}
          <Choice
            label={t('row.segment')}
            value={leaf.segment}
            data={all}
            onChange={(id) => write({ in_segment: id })}
          />
        </>
      );
    }
    case 'engaged': {
      const value = String(leaf.value);
      const words = ['engaged', 'cooling', 'asleep', '7d', '30d', '90d', '180d'];
      const all = words.includes(value) ? words : [...words, value];
      const name = (word: string) =>
        ['engaged', 'cooling', 'asleep', 'true', 'false'].includes(word)
          ? t(`engaged.${word}`)
          : t('engaged.span', { span: word });
      return (
        <>
          {not}
          <Choice
            label={t('row.engaged')}
            value={value}
            data={all.map((word) => ({ value: word, label: name(word) }))}
            onChange={(word) => write({ engaged: word })}
          />
        </>
      );
    }
    case 'has':
      return (
        <>
          {not}
          <Typed
            label={t('row.object')}
            value={leaf.what}
            data={objects}
            onChange={(what) =>
              edit((document) => 'items' in Object(condition.node) && putHas(document, condition, what))
            }
          />
          {leaf.where === undefined && !isReadOnly && (
            <Button
              size="compact-xs"
              variant="subtle"
              color="gray"
              leftSection={<IconFilter size={12} />}
              onClick={() => edit((document) => putWhere(document, condition, t('row.aField')))}
            >
              {t('row.addWhere')}
            </Button>
          )}
          {leaf.where !== undefined && (
            <Box className={classes.nested}>
              <Text size="xs" c="dimmed" mb={4}>
                {t('row.whereObject')}
              </Text>
              <GroupEditor group={leaf.where} scope="object" />
            </Box>
          )}
        </>
      );
    case 'rfm':
      return (
        <>
          {not}
          <RfmParts leaf={leaf} onChange={(rfm) => write({ rfm })} />
        </>
      );
  }
}

type Has = Parameters<typeof put>[1];

function putHas(document: Parameters<typeof put>[0], condition: Condition, what: string): void {
  put(document, condition.node as Has, 'has', what);
}

function putWhere(document: Parameters<typeof put>[0], condition: Condition, field: string): void {
  (condition.node as Has).set('where', make(document, [{ [field]: { exists: true } }]));
}

type RfmLeaf = Extract<Leaf, { kind: 'rfm' }>;
const SCORES = ['recency', 'frequency', 'monetary'] as const;

/** Scores from 1 to 5, each from a least one on, or a group of them. */
function RfmParts({ leaf, onChange }: { leaf: RfmLeaf; onChange: (rfm: Record<string, unknown>) => void }) {
  const { t } = useTranslation('segments');
  const { isReadOnly } = useBuilding();
  const scoresOf = (value: unknown): string[] => {
    const {
      gte = 1,
      lte = 5,
      gt,
      lt,
      eq,
    } = typeof value === 'object' && value !== null
      ? (value as Record<string, number>)
      : { eq: Number(value) };
    const least = eq ?? (gt === undefined ? gte : gt + 1);
    const most = eq ?? (lt === undefined ? lte : lt - 1);
    return ['1', '2', '3', '4', '5'].filter((one) => Number(one) >= least && Number(one) <= most);
  };
  const write = (key: string, value: unknown) => {
    const next: Record<string, unknown> = { ...leaf.scores, [key]: value };
    if (leaf.group !== undefined && key !== 'group') {
      next.group = leaf.group;
    }
    onChange(Object.fromEntries(Object.entries(next).filter(([, one]) => one !== undefined)));
  };
  return (
    <>
      <Choice
        label={t('row.rfmGroup')}
        value={leaf.group ?? ''}
        data={[
          { value: '', label: t('rfm.byScores') },
          ...RFM_GROUPS.map((group) => ({ value: group as string, label: t(`rfm.group.${group}`) })),
        ]}
        onChange={(group) =>
          group === '' ? onChange({ recency: { gte: 4 } }) : onChange({ ...leaf.scores, group })
        }
      />
      {(leaf.group === undefined || Object.keys(leaf.scores).length > 0) &&
        SCORES.map((score) => (
          <MultiSelect
            key={score}
            size="xs"
            w={150}
            aria-label={t(`rfm.${score}`)}
            placeholder={leaf.scores[score] === undefined ? t(`rfm.${score}`) : undefined}
            data={['1', '2', '3', '4', '5']}
            value={leaf.scores[score] === undefined ? [] : scoresOf(leaf.scores[score])}
            readOnly={isReadOnly}
            onChange={(chosen) => {
              const numbers = chosen.map(Number);
              // The language knows stretches: what lies between is chosen too.
              const range = { gte: Math.min(...numbers), lte: Math.max(...numbers) };
              write(score, numbers.length === 0 ? undefined : range);
            }}
          />
        ))}
    </>
  );
}

/** What the builder has no words for. */
function Other({ condition }: { condition: Condition }) {
  const { t } = useTranslation('segments');
  const text = condition.node === undefined ? '' : stringify(condition.node.toJSON()).trim();
  return (
    <Box style={{ minWidth: 0 }}>
      <Text size="xs" c="dimmed">
        {t('row.other')}
      </Text>
      <Code block fz="xs" className="breaks" mah={160} style={{ overflow: 'auto', whiteSpace: 'pre-wrap' }}>
        {text}
      </Code>
    </Box>
  );
}
