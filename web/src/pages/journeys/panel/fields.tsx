/** Fields of the panel: a value goes into the text when it is finished, not with every key. */
import { Autocomplete, Group, Input, NumberInput, Select, Textarea, TextInput } from '@mantine/core';
import { type KeyboardEvent, useEffect, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { readDuration, UNITS } from '../model/duration';

type Common = { label: string; description?: string | undefined; placeholder?: string | undefined };

/** The text being typed, until it is given over by leaving the field or by Enter. */
function useTyped(value: string, commit: (value: string) => void) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  const give = (next = typed) => {
    if (next !== value) {
      commit(next);
    }
  };
  return { typed, setTyped, give };
}

const onEnter = (run: () => void) => (event: KeyboardEvent) => {
  if (event.key === 'Enter' && !event.nativeEvent.isComposing) {
    run();
  }
};

type TextProps = Common & {
  value: string | undefined;
  commit: (value: string | undefined) => void;
  /** Known names to choose from; others may be written. */
  names?: readonly string[] | undefined;
  lines?: boolean | undefined;
  required?: boolean | undefined;
  error?: string | undefined;
};

export function TextField({ value, commit, names, lines, required = false, ...rest }: TextProps) {
  const { typed, setTyped, give } = useTyped(value ?? '', (next) => {
    const trimmed = lines ? next : next.trim();
    if (trimmed !== '' || !required) {
      commit(trimmed === '' ? undefined : trimmed);
    } else {
      setTyped(value ?? '');
    }
  });
  const shared = { ...rest, size: 'xs' as const, value: typed, onBlur: () => give() };
  if (lines) {
    return (
      <Textarea
        {...shared}
        autosize
        minRows={2}
        maxRows={10}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
    );
  }
  if (names !== undefined) {
    return (
      <Autocomplete
        {...shared}
        data={[...new Set(names)]}
        limit={30}
        onChange={setTyped}
        onOptionSubmit={(next) => give(next)}
        onKeyDown={onEnter(() => give())}
      />
    );
  }
  return (
    <TextInput
      {...shared}
      onChange={(event) => setTyped(event.currentTarget.value)}
      onKeyDown={onEnter(() => give())}
    />
  );
}

type ChoiceProps = Common & {
  value: string | undefined;
  options: readonly { value: string; label: string }[];
  commit: (value: string | undefined) => void;
  clearable?: boolean;
};

export function ChoiceField({ options, value, commit, clearable = false, ...rest }: ChoiceProps) {
  const known = value === undefined || options.some((one) => one.value === value);
  const data = known ? [...options] : [...options, { value, label: value }];
  return (
    <Select
      {...rest}
      size="xs"
      data={data}
      value={value ?? null}
      clearable={clearable}
      allowDeselect={false}
      onChange={(next) => commit(next ?? undefined)}
      comboboxProps={{ withinPortal: true }}
    />
  );
}

type DurationProps = Common & {
  value: unknown;
  commit: (value: string | undefined) => void;
  clearable?: boolean;
};

/** A number and its unit; what is more than that stays a text. */
export function DurationField({ label, description, value, commit, clearable = true }: DurationProps) {
  const { t } = useTranslation('journeys');
  const id = useId();
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  const parts = readDuration(text);
  const [part] = parts ?? [];
  const { typed, setTyped, give } = useTyped(part === undefined ? '' : String(part.count), (next) => {
    const count = Number.parseInt(next, 10);
    if (Number.isFinite(count) && count >= 0) {
      commit(`${count}${part?.unit ?? 'd'}`);
    } else if (clearable) {
      commit(undefined);
    }
  });
  if (text !== '' && parts?.length !== 1) {
    return (
      <TextField label={label} description={description} value={text} commit={commit} required={!clearable} />
    );
  }
  return (
    <Input.Wrapper size="xs" label={label} description={description} labelProps={{ htmlFor: id }}>
      <Group gap={6} wrap="nowrap" mt={2}>
        <NumberInput
          size="xs"
          id={id}
          min={0}
          max={9_999}
          allowDecimal={false}
          allowNegative={false}
          value={typed}
          onChange={(next) => setTyped(String(next))}
          onBlur={() => give()}
          onKeyDown={onEnter(() => give())}
          style={{ flex: 1 }}
        />
        <Select
          size="xs"
          aria-label={`${label}: ${t('field.unit')}`}
          data={UNITS.map((unit) => ({ value: unit, label: t(`unit.${unit}`) }))}
          value={part?.unit ?? 'd'}
          allowDeselect={false}
          onChange={(unit) => unit !== null && commit(`${part?.count ?? 1}${unit}`)}
          w={150}
        />
      </Group>
    </Input.Wrapper>
  );
}
