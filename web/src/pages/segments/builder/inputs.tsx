/** Small fields of a row: each says what it is to whoever does not see the row. */
import { Autocomplete, NumberInput, Select, TagsInput, TextInput } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useBuilding } from './context';
import { relativeOf, shown, spanOf, typedValue, UNITS } from './values';

const PARTS_SHOWN = 40;

type TextProps = {
  label: string;
  value: string;
  onChange: (text: string) => void;
  width?: number;
  data?: string[];
};

/** A text that is written through as it is typed, but looks as it was typed while one is in it. */
export function Typed({ label, value, onChange, width = 150, data }: TextProps) {
  const { isReadOnly } = useBuilding();
  const [text, setText] = useState(value);
  const isIn = useRef(false);
  useEffect(() => {
    if (!isIn.current) {
      setText(value);
    }
  }, [value]);
  const common = {
    size: 'xs',
    'aria-label': label,
    placeholder: label,
    value: text,
    readOnly: isReadOnly,
    w: width,
    maxLength: 2_000,
    onFocus: () => {
      isIn.current = true;
    },
    onBlur: () => {
      isIn.current = false;
      setText(value);
    },
  } as const;
  const change = (next: string) => {
    setText(next);
    if (next.trim() !== '') {
      onChange(next);
    }
  };
  return data === undefined ? (
    <TextInput {...common} onChange={(event) => change(event.currentTarget.value)} />
  ) : (
    <Autocomplete
      {...common}
      data={data}
      limit={PARTS_SHOWN}
      onChange={change}
      comboboxProps={{ width: 'max-content' }}
    />
  );
}

type ChoiceProps<Word extends string> = {
  label: string;
  value: Word;
  onChange: (word: Word) => void;
  data: { value: Word; label: string }[];
};

/** Letters of these scripts are about twice as wide as Latin ones. */
const WIDE = /[\u3000-\u9fff\uac00-\ud7af\uff00-\uffef]/gu;

function widthOf(text: string): number {
  const letters = text.length + (text.match(WIDE)?.length ?? 0) * 0.75;
  return Math.min(320, Math.max(64, Math.ceil(letters * 7.1) + 44));
}

/** As wide as what is chosen, so that a row reads like a sentence. */
export function Choice<Word extends string>({ label, value, onChange, data }: ChoiceProps<Word>) {
  const { isReadOnly } = useBuilding();
  const chosen = data.find((one) => one.value === value)?.label ?? value;
  return (
    <Select
      size="xs"
      aria-label={label}
      allowDeselect={false}
      data={data}
      value={value}
      readOnly={isReadOnly}
      w={widthOf(chosen)}
      maw="100%"
      comboboxProps={{ width: 'max-content', position: 'bottom-start' }}
      onChange={(word) => word !== null && onChange(word as Word)}
    />
  );
}

type NumberProps = { label: string; value: number; onChange: (value: number) => void; min?: number };

export function Count({ label, value, onChange, min = 0 }: NumberProps) {
  const { isReadOnly } = useBuilding();
  return (
    <NumberInput
      size="xs"
      w={68}
      aria-label={label}
      value={value}
      min={min}
      max={1_000_000}
      allowDecimal={false}
      readOnly={isReadOnly}
      onChange={(next) => typeof next === 'number' && onChange(next)}
    />
  );
}

type SpanProps = { label: string; value: string; onChange: (span: string) => void };

/** A length of time. One that is made of several parts is shown as it is written. */
export function Span({ label, value, onChange }: SpanProps) {
  const { t } = useTranslation('segments');
  const span = spanOf(value);
  if (span === undefined) {
    return <Typed label={label} value={value} onChange={onChange} width={90} />;
  }
  return (
    <>
      <Count
        label={label}
        value={span.count}
        min={1}
        onChange={(count) => onChange(`${count}${span.unit}`)}
      />
      <Choice
        label={t('row.unit')}
        value={span.unit}
        data={UNITS.map((unit) => ({ value: unit, label: t(`unit.${unit}`, { count: span.count }) }))}
        onChange={(unit) => onChange(`${span.count}${unit}`)}
      />
    </>
  );
}

type ValueProps = { label: string; value: unknown; onChange: (value: unknown) => void };

export function OneValue({ label, value, onChange }: ValueProps) {
  return <Typed label={label} value={shown(value)} onChange={(text) => onChange(typedValue(text))} />;
}

export function ManyValues({ label, value, onChange }: ValueProps) {
  const { isReadOnly } = useBuilding();
  const values = Array.isArray(value) ? value.map(shown) : [shown(value)];
  return (
    <TagsInput
      size="xs"
      miw={190}
      maw={420}
      aria-label={label}
      placeholder={values.length === 0 ? label : undefined}
      value={values.filter((one) => one !== '')}
      readOnly={isReadOnly}
      splitChars={[',', ';', '\n']}
      onChange={(next) => onChange(next.map(typedValue))}
    />
  );
}

/** A day, or a moment counted from now. */
export function Moment({ label, value, onChange }: ValueProps) {
  const { t } = useTranslation('segments');
  const { isReadOnly } = useBuilding();
  const relative = relativeOf(value);
  const way = relative?.way ?? 'day';
  return (
    <>
      {relative !== undefined && (
        <Span label={label} value={relative.span} onChange={(span) => onChange({ [relative.way]: span })} />
      )}
      {relative === undefined && (
        <TextInput
          size="xs"
          type={/^\d{4}-\d\d-\d\d$|^$/.test(shown(value)) ? 'date' : 'text'}
          w={140}
          aria-label={label}
          value={shown(value)}
          readOnly={isReadOnly}
          onChange={(event) => event.currentTarget.value !== '' && onChange(event.currentTarget.value)}
        />
      )}
      <Choice
        label={t('row.moment')}
        value={way}
        data={(['ago', 'in', 'day'] as const).map((one) => ({ value: one, label: t(`moment.${one}`) }))}
        onChange={(next) => {
          if (next === 'day') {
            onChange(new Date().toISOString().slice(0, 10));
          } else {
            onChange({ [next]: relative?.span ?? '30d' });
          }
        }}
      />
    </>
  );
}
