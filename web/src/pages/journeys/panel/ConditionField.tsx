/** A condition as rows to fill in; one that rows cannot say is written in YAML. */
import { ActionIcon, Box, Button, Group, Input, SegmentedControl, Stack, Textarea } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { parse, stringify } from 'yaml';
import type { Names } from '../model/complete';
import {
  type Row,
  type Rows,
  readOperand,
  readRows,
  TESTS,
  type Test,
  writeOperand,
  writeRows,
} from '../model/condition';
import { isPlain } from '../model/render';
import { isSame } from '../model/value';
import { ChoiceField, DurationField, TextField } from './fields';

type Props = {
  label: string;
  value: unknown;
  names: Names;
  commit: (value: unknown) => void;
  /** It may be left out. */
  optional?: boolean;
};

const SORTS = ['field', 'did', 'didNot', 'segment', 'notSegment', 'engaged', 'notEngaged'] as const;
type Sort = (typeof SORTS)[number];

export function ConditionField({ label, value, names, commit, optional = true }: Props) {
  const { t } = useTranslation('journeys');
  const isThere = value !== undefined && !(isPlain(value) && Object.keys(value).length === 0);
  const rows = isThere ? readRows(value) : { join: 'all' as const, rows: [] };
  const [asText, setAsText] = useState(false);
  // A row that is not finished stands here and not yet in the text.
  const [fresh, setFresh] = useState<Row>();
  if (rows === undefined || asText) {
    return (
      <Stack gap={4}>
        <YamlField label={label} value={value} commit={commit} optional={optional} />
        {rows !== undefined && (
          <Button
            size="compact-xs"
            variant="subtle"
            onClick={() => setAsText(false)}
            style={{ alignSelf: 'start' }}
          >
            {t('condition.asRows')}
          </Button>
        )}
      </Stack>
    );
  }
  const give = (next: Rows) => {
    setFresh(undefined);
    commit(next.rows.length === 0 && optional ? undefined : writeRows(next));
  };
  const replace = (at: number, row: Row | undefined) =>
    give({
      ...rows,
      rows: rows.rows.flatMap((one, index) => (index === at ? (row === undefined ? [] : [row]) : [one])),
    });
  return (
    <Box component="fieldset" p={0} m={0} bd="none" style={{ minWidth: 0 }}>
      <Input.Label component="legend" size="xs" p={0} mb={4}>
        {label}
      </Input.Label>
      <Stack gap="xs">
        {rows.rows.length > 1 && (
          <SegmentedControl
            size="xs"
            value={rows.join}
            onChange={(join) => give({ ...rows, join: join === 'any' ? 'any' : 'all' })}
            data={[
              { value: 'all', label: t('condition.all') },
              { value: 'any', label: t('condition.any') },
            ]}
          />
        )}
        {rows.rows.map((row, at) => (
          <RowField
            // biome-ignore lint/suspicious/noArrayIndexKey: rows have no names; their place is what they are
            key={at}
            row={row}
            names={names}
            commit={(next) => replace(at, next)}
          />
        ))}
        {fresh !== undefined && (
          <RowField
            row={fresh}
            names={names}
            commit={(next) => {
              if (next !== undefined && isFinished(next)) {
                give({ ...rows, rows: [...rows.rows, next] });
              } else {
                setFresh(next);
              }
            }}
          />
        )}
        <Group gap={4}>
          <Button
            size="compact-xs"
            variant="subtle"
            leftSection={<IconPlus size={13} aria-hidden />}
            onClick={() => setFresh({ is: 'field', field: '', test: 'eq', value: '' })}
            disabled={fresh !== undefined}
          >
            {t('condition.add')}
          </Button>
          {isThere && (
            <Button size="compact-xs" variant="subtle" color="gray" onClick={() => setAsText(true)}>
              {t('condition.asText')}
            </Button>
          )}
        </Group>
      </Stack>
    </Box>
  );
}

function isFinished(row: Row): boolean {
  switch (row.is) {
    case 'field':
      return row.field !== '' && (row.value !== '' || row.test === 'exists' || row.test === 'missing');
    case 'did':
      return row.event !== '';
    case 'segment':
      return row.segment !== '';
    case 'engaged':
      return true;
  }
}

function sortOf(row: Row): Sort {
  switch (row.is) {
    case 'field':
      return 'field';
    case 'did':
      return row.not ? 'didNot' : 'did';
    case 'segment':
      return row.not ? 'notSegment' : 'segment';
    case 'engaged':
      return row.not ? 'notEngaged' : 'engaged';
  }
}

function freshRow(sort: Sort, before: Row): Row {
  switch (sort) {
    case 'field':
      return { is: 'field', field: '', test: 'eq', value: '' };
    case 'did':
    case 'didNot':
      return before.is === 'did'
        ? { ...before, not: sort === 'didNot' }
        : { is: 'did', event: '', not: sort === 'didNot', times: undefined, within: undefined };
    case 'segment':
    case 'notSegment':
      return {
        is: 'segment',
        segment: before.is === 'segment' ? before.segment : '',
        not: sort === 'notSegment',
      };
    case 'engaged':
    case 'notEngaged':
      return {
        is: 'engaged',
        within: before.is === 'engaged' ? before.within : '30d',
        not: sort === 'notEngaged',
      };
  }
}

type RowProps = { row: Row; names: Names; commit: (row: Row | undefined) => void };

function RowField({ row: given, names, commit }: RowProps) {
  const { t } = useTranslation('journeys');
  const [row, setRow] = useState(given);
  useEffect(() => setRow(given), [given]);
  const give = (next: Row) => {
    setRow(next);
    // A row that lacks something yet is kept here: the text says nothing half.
    if (isFinished(next)) {
      commit(next);
    }
  };
  return (
    <Box p={8} bd="1px solid var(--relance-line)" style={{ borderRadius: 8 }}>
      <Stack gap={6}>
        <Group gap={6} wrap="nowrap" align="flex-end">
          <Box style={{ flex: 1 }}>
            <ChoiceField
              label={t('condition.what')}
              value={sortOf(row)}
              options={SORTS.map((one) => ({ value: one, label: t(`condition.sort.${one}`) }))}
              commit={(sort) => give(freshRow(SORTS.find((one) => one === sort) ?? 'field', row))}
            />
          </Box>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={t('condition.remove')}
            onClick={() => commit(undefined)}
          >
            <IconTrash size={15} aria-hidden />
          </ActionIcon>
        </Group>
        <RowDetails row={row} names={names} give={give} />
      </Stack>
    </Box>
  );
}

function RowDetails({ row, names, give }: { row: Row; names: Names; give: (row: Row) => void }) {
  const { t } = useTranslation('journeys');
  switch (row.is) {
    case 'field':
      return <FieldDetails row={row} give={give} />;
    case 'did':
      return (
        <>
          <TextField
            label={t('field.event')}
            value={row.event}
            names={names.events}
            required
            commit={(event) => give({ ...row, event: event ?? '' })}
          />
          <DurationField
            label={t('condition.within')}
            value={row.within}
            commit={(within) => give({ ...row, within })}
          />
        </>
      );
    case 'segment':
      return (
        <TextField
          label={t('field.segment')}
          value={row.segment}
          names={names.segments}
          required
          commit={(segment) => give({ ...row, segment: segment ?? '' })}
        />
      );
    case 'engaged':
      return (
        <DurationField
          label={t('condition.within')}
          value={row.within === true ? '90d' : row.within}
          commit={(within) => give({ ...row, within: within ?? true })}
        />
      );
  }
}

const FIELDS = [
  'subject.kind',
  'subject.amount',
  'subject.due',
  'subject.status',
  'subject.stage',
  'contact.grade',
  'contact.plan',
  'contact.email',
  'contact.phone',
  'contact.country',
];

function FieldDetails({ row, give }: { row: Extract<Row, { is: 'field' }>; give: (row: Row) => void }) {
  const { t } = useTranslation('journeys');
  const hasValue = row.test !== 'exists' && row.test !== 'missing';
  return (
    <>
      <TextField
        label={t('field.field')}
        value={row.field}
        names={FIELDS}
        required
        placeholder={'subject.amount'}
        commit={(field) => give({ ...row, field: field ?? '' })}
      />
      <ChoiceField
        label={t('condition.test')}
        value={row.test}
        options={TESTS.map((one) => ({ value: one, label: t(`test.${one}`) }))}
        commit={(next) => {
          const test = TESTS.find((one): one is Test => one === next) ?? 'eq';
          const value = row.value === undefined ? '' : readOperand(writeOperand(row.value), test);
          give({ ...row, test, value });
        }}
      />
      {hasValue && (
        <TextField
          label={t('field.value')}
          value={writeOperand(row.value)}
          required
          description={row.test === 'before' || row.test === 'after' ? t('condition.dateHint') : undefined}
          commit={(text) => give({ ...row, value: readOperand(text ?? '', row.test) })}
        />
      )}
    </>
  );
}

type YamlProps = { label: string; value: unknown; commit: (value: unknown) => void; optional?: boolean };

/** Any value as YAML; what is none is not taken over. */
export function YamlField({ label, value, commit, optional = true }: YamlProps) {
  const { t } = useTranslation('journeys');
  const written = value === undefined ? '' : stringify(value, { lineWidth: 0 }).trimEnd();
  const [typed, setTyped] = useState(written);
  const [error, setError] = useState<string>();
  useEffect(() => setTyped(written), [written]);
  const give = () => {
    try {
      const next: unknown = parse(typed);
      const isNothing = next === null || next === undefined;
      if (isNothing && !optional) {
        setError(t('condition.needed'));
        return;
      }
      setError(undefined);
      if (!isSame(next, value)) {
        commit(isNothing ? undefined : next);
      }
    } catch (problem) {
      setError(problem instanceof Error ? problem.message : String(problem));
    }
  };
  return (
    <Textarea
      size="xs"
      label={label}
      value={typed}
      error={error}
      autosize
      minRows={2}
      maxRows={12}
      styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
      onChange={(event) => setTyped(event.currentTarget.value)}
      onBlur={give}
    />
  );
}
