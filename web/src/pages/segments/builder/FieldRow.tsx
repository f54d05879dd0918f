import { ActionIcon, Group, Text, Tooltip } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { rewrite, writtenTests } from '../change';
import type { Condition, Leaf, Test, TestWord } from '../condition';
import { useBuilding } from './context';
import { Choice, ManyValues, Moment, OneValue, Typed } from './inputs';
import { relativeOf, shown, typedValue } from './values';

type FieldLeaf = Extract<Leaf, { kind: 'field' }>;
type Props = { condition: Condition; leaf: FieldLeaf };

/** How comparisons are offered: what is known and not known are two of them. */
const WORDS = [
  'eq',
  'ne',
  'gt',
  'gte',
  'lt',
  'lte',
  'in',
  'contains',
  'starts_with',
  'known',
  'unknown',
  'before',
  'after',
] as const;
type Word = (typeof WORDS)[number];

/** A field and what it must be; several comparisons hold together. */
export function FieldRow({ condition, leaf }: Props) {
  const { t } = useTranslation('segments');
  const { edit, fields, isReadOnly } = useBuilding();
  const write = (field: string, tests: Test[]) =>
    edit((document) => rewrite(document, condition, { [field]: writtenTests(tests) }));
  const { field, tests } = leaf;
  return (
    <>
      <Typed
        label={t('row.field')}
        value={field}
        data={fields}
        width={170}
        onChange={(name) => write(name.trim(), tests)}
      />
      {tests.map((test, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: comparisons have no names of their own
        <Group key={at} gap={6} wrap="wrap">
          {at > 0 && <Text size="xs">{t('row.and')}</Text>}
          <OneTest
            test={test}
            onChange={(next) =>
              write(
                field,
                tests.map((one, place) => (place === at ? next : one)),
              )
            }
          />
          {at > 0 && !isReadOnly && (
            <ActionIcon
              size="xs"
              variant="subtle"
              color="gray"
              aria-label={t('row.removeTest')}
              onClick={() =>
                write(
                  field,
                  tests.filter((_, place) => place !== at),
                )
              }
            >
              <IconX size={12} />
            </ActionIcon>
          )}
        </Group>
      ))}
      {!isReadOnly && tests.length === 1 && RANGED.has(tests[0]?.word ?? '') && (
        <Tooltip label={t('row.addTest')}>
          <ActionIcon
            size="sm"
            variant="subtle"
            color="gray"
            aria-label={t('row.addTest')}
            onClick={() => write(field, [...tests, opposite(tests[0])])}
          >
            <IconPlus size={14} />
          </ActionIcon>
        </Tooltip>
      )}
    </>
  );
}

const RANGED: ReadonlySet<string> = new Set(['gt', 'gte', 'lt', 'lte', 'before', 'after']);
const OPPOSITES: Partial<Record<TestWord, TestWord>> = {
  gt: 'lt',
  gte: 'lte',
  lt: 'gt',
  lte: 'gte',
  before: 'after',
  after: 'before',
};

function opposite(test: Test | undefined): Test {
  const word = test === undefined ? undefined : OPPOSITES[test.word];
  return { word: word ?? 'ne', value: test?.value ?? '' };
}

function OneTest({ test, onChange }: { test: Test; onChange: (test: Test) => void }) {
  const { t } = useTranslation('segments');
  const word: Word = test.word === 'exists' ? (test.value === false ? 'unknown' : 'known') : test.word;
  return (
    <>
      <Choice
        label={t('row.test')}
        value={word}
        data={WORDS.map((one) => ({ value: one, label: t(`test.${one}`) }))}
        onChange={(next) => onChange(carried(test, next))}
      />
      <TestValue test={test} onChange={(value) => onChange({ ...test, value })} />
    </>
  );
}

function TestValue({ test, onChange }: { test: Test; onChange: (value: unknown) => void }) {
  const { t } = useTranslation('segments');
  const label = t('row.value');
  switch (test.word) {
    case 'exists':
      return null;
    case 'in':
      return <ManyValues label={label} value={test.value} onChange={onChange} />;
    case 'before':
    case 'after':
      return <Moment label={label} value={test.value} onChange={onChange} />;
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return relativeOf(test.value) === undefined ? (
        <OneValue label={label} value={test.value} onChange={onChange} />
      ) : (
        <Moment label={label} value={test.value} onChange={onChange} />
      );
    case 'contains':
    case 'starts_with':
    case 'eq':
    case 'ne':
      return <OneValue label={label} value={test.value} onChange={onChange} />;
  }
}

/** The same comparison by another word; the value goes along where it can. */
function carried(test: Test, word: Word): Test {
  if (word === 'known' || word === 'unknown') {
    return { word: 'exists', value: word === 'known' };
  }
  const { value } = test;
  if (word === 'in') {
    const many = Array.isArray(value) ? value : [value];
    return {
      word,
      value: many.filter((one) => typeof one !== 'object' && typeof one !== 'boolean' && one !== ''),
    };
  }
  if (word === 'before' || word === 'after') {
    const isDay = /^\d{4}-\d\d-\d\d/.test(shown(value));
    return { word, value: isDay || relativeOf(value) !== undefined ? value : { ago: '30d' } };
  }
  const plain = Array.isArray(value) ? value[0] : value;
  const isBare = typeof plain === 'object' || (test.word === 'exists' && typeof plain === 'boolean');
  return { word, value: isBare ? '' : typedValue(shown(plain)) };
}
