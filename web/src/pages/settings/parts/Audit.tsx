import { Button, Code, Group, Select, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useNavigate, useSearch } from '@tanstack/react-router';
import i18next from 'i18next';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Column, DataList, Empty } from '../../../shared/DataList';
import { useFormat } from '../../../shared/format';
import { type AuditAsked, type AuditLine, audit } from '../calls';

/** How actions begin; each is a choice of its own. */
const KINDS = [
  'user.',
  'key.',
  'session.',
  'journey.',
  'segment.',
  'template.',
  'contact.',
  'document.',
  'approval.',
  'task.',
  'suppression.',
  'workspace.',
] as const;
const TYPING_MS = 300;

/** Who changed what. */
export function Audit() {
  const { t } = useTranslation('settings');
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const asked = askedOf(search);
  const set = (part: AuditAsked) =>
    navigate({ to: '.', search: (before) => ({ ...before, ...part }), replace: true });
  const filtered = Object.keys(asked).length > 0;
  const columns = useColumns();
  return (
    <Stack gap="sm">
      <Group gap="xs" align="flex-end">
        <Typed label={t('audit.by')} value={asked.by ?? ''} onChange={(by) => set({ by })} />
        <Typed label={t('audit.object')} value={asked.object ?? ''} onChange={(object) => set({ object })} />
        <Select
          label={t('audit.action')}
          size="xs"
          w={150}
          data={[
            { value: '', label: t('audit.all') },
            ...KINDS.map((one) => ({ value: one, label: t(`audit.kind.${one.slice(0, -1)}`) })),
          ]}
          value={asked.action ?? ''}
          onChange={(action) => set({ action: action || undefined })}
          allowDeselect={false}
        />
        <TextInput
          label={t('audit.from')}
          size="xs"
          w={128}
          type="date"
          value={asked.from?.slice(0, 10) ?? ''}
          onChange={(event) => set({ from: event.currentTarget.value || undefined })}
        />
        <TextInput
          label={t('audit.until')}
          size="xs"
          w={128}
          type="date"
          value={asked.until?.slice(0, 10) ?? ''}
          onChange={(event) => set({ until: event.currentTarget.value || undefined })}
        />
        {filtered && (
          <Button
            variant="subtle"
            size="xs"
            onClick={() =>
              set({ by: undefined, object: undefined, action: undefined, from: undefined, until: undefined })
            }
          >
            {t('audit.clear')}
          </Button>
        )}
      </Group>
      <DataList<AuditLine>
        label={t('part.audit')}
        queryKey={['overview', 'audit', asked]}
        load={(cursor, signal) => audit(momentsOf(asked), cursor, signal)}
        rowKey={(line) => `${line.at} ${line.by} ${line.action} ${line.object}`}
        columns={columns}
        empty={
          <Empty title={t('audit.none')} text={filtered ? t('audit.noneFiltered') : t('audit.noneYet')} />
        }
      />
    </Stack>
  );
}

function useColumns(): Column<AuditLine>[] {
  const { t } = useTranslation('settings');
  const format = useFormat();
  return [
    {
      key: 'at',
      title: t('audit.at'),
      width: '196px',
      render: (line) => (
        <Text size="sm" className="numbers">
          {format.moment(line.at)}
        </Text>
      ),
    },
    {
      key: 'by',
      title: t('audit.by'),
      width: 'minmax(0, 1fr)',
      render: (line) => (
        <Text size="sm" className="breaks" lineClamp={2} title={line.by}>
          {line.by}
        </Text>
      ),
    },
    {
      key: 'action',
      title: t('audit.what'),
      width: 'minmax(0, 1.6fr)',
      render: (line) => (
        <Stack gap={0}>
          <Text size="sm" className="breaks" lineClamp={2}>
            {actionWords(line.action)} <b>{line.object}</b>
          </Text>
          {line.detail != null && (
            <Text size="xs" c="dimmed" className="breaks" lineClamp={2} title={detailWords(line.detail)}>
              {detailWords(line.detail)}
            </Text>
          )}
        </Stack>
      ),
    },
  ];
}

/** An action that has no words of ours stands as its code. */
function actionWords(action: string) {
  const key = `settings:action.${action.replaceAll('.', '_')}`;
  return i18next.exists(key) ? i18next.t(key) : <Code>{action}</Code>;
}

/** What was changed: of settings each field as it was and as it is, else whatever was noted. */
export function detailWords(detail: Record<string, unknown>): string {
  const { old, new: next, ...rest } = detail;
  const changes = isRaw(old) && isRaw(next) ? changesOf(old, next) : Object.entries({ old, new: next });
  return [...changes, ...Object.entries(rest)]
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}: ${valueWords(value)}`)
    .join(', ');
}

const isRaw = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function changesOf(old: Record<string, unknown>, next: Record<string, unknown>): [string, unknown][] {
  return [...new Set([...Object.keys(old), ...Object.keys(next)])].map((key) => [
    key,
    `${valueWords(old[key])} → ${valueWords(next[key])}`,
  ]);
}

function valueWords(value: unknown): string {
  return value === undefined || value === null
    ? '—'
    : typeof value === 'string'
      ? value
      : JSON.stringify(value);
}

function askedOf(search: Record<string, unknown>): AuditAsked {
  const asked: AuditAsked = {};
  for (const key of ['by', 'object', 'action', 'from', 'until'] as const) {
    const value = search[key];
    if (typeof value === 'string' && value !== '') {
      asked[key] = value;
    }
  }
  return asked;
}

/** Days as the reader means them: from the first one's beginning to the last one's end. */
function momentsOf(asked: AuditAsked): AuditAsked {
  const moment = (day: string | undefined, add: number) => {
    const at = day === undefined ? Number.NaN : new Date(`${day}T00:00:00`).getTime();
    return Number.isNaN(at)
      ? undefined
      : new Date(new Date(at).setDate(new Date(at).getDate() + add)).toISOString();
  };
  const from = moment(asked.from, 0);
  const until = moment(asked.until, 1);
  const { from: _from, until: _until, ...rest } = asked;
  return { ...rest, ...(from === undefined ? {} : { from }), ...(until === undefined ? {} : { until }) };
}

type TypedProps = { label: string; value: string; onChange: (value: string | undefined) => void };

/** A filter that is typed: asked for when the typing rests. */
function Typed({ label, value, onChange }: TypedProps) {
  const [text, setText] = useState(value);
  const [known, setKnown] = useState(value);
  if (value !== known) {
    // The address changed otherwise: by the button that clears, or by going back.
    setKnown(value);
    setText(value);
  }
  const tell = useDebouncedCallback((typed: string) => onChange(typed.trim() || undefined), TYPING_MS);
  return (
    <TextInput
      label={label}
      size="xs"
      w={140}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        tell(event.currentTarget.value);
      }}
    />
  );
}
