import { ActionIcon, Button, Group, Modal, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { idOf } from '../../shared/editing/idOf';
import { freeId, ITEM_ID, type Item, isAddress, USUAL } from './items';

type Props = {
  item: Item | undefined;
  taken: readonly string[];
  /** Fields that other items have. */
  usual: readonly string[];
  /** Somebody may have received it: its id stays. */
  isSaved: boolean;
  isReadOnly: boolean;
  onClose: () => void;
  onDone: (id: string, fields: [string, unknown][]) => void;
  onRemove: () => void;
};

type Row = { key: number; name: string; text: string; before: unknown };

const plain = (value: unknown) =>
  value === undefined || value === null
    ? ''
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value);

/** What was typed, as it was before where it reads the same: a number stays a number. */
function typed({ text, before }: Row): unknown {
  if (plain(before) === text) {
    return before;
  }
  return /^-?(0|[1-9]\d{0,14})(\.\d{1,10})?$/.test(text) && typeof before !== 'string' ? Number(text) : text;
}

/** One item: the fields that every list has, and those of this list. */
export function ItemDialog(props: Props) {
  const { item, taken, usual, isSaved, isReadOnly, onClose, onDone, onRemove } = props;
  const { t } = useTranslation('lists');
  const [id, setId] = useState(item?.id);
  const [rows, setRows] = useState<Row[]>(() => {
    const own = new Map<string, unknown>(item?.fields ?? []);
    const names = [...new Set([...USUAL, ...own.keys(), ...(item === undefined ? usual : [])])];
    return names
      .filter((name) => name !== 'id')
      .map((name, key) => ({ key, name, text: plain(own.get(name)), before: own.get(name) }));
  });
  const [asking, setAsking] = useState(false);
  const set = (key: number, patch: Partial<Row>) =>
    setRows((before) => before.map((row) => (row.key === key ? { ...row, ...patch } : row)));
  const text = (name: string) => rows.find((row) => row.name === name)?.text ?? '';
  const others = taken.filter((one) => one !== item?.id);
  const shownId = id ?? freeId(idOf(text('title')), taken);
  const idProblem = !ITEM_ID.test(shownId)
    ? t('item.badId')
    : others.includes(shownId)
      ? t('item.taken')
      : undefined;
  const addressProblem = (name: string) =>
    text(name).trim() === '' || isAddress(text(name).trim()) ? undefined : t('item.badAddress');
  const names = rows.map((row) => row.name);
  const twice = (row: Row) =>
    row.name !== '' && names.filter((name) => name === row.name).length > 1 ? t('item.twice') : undefined;
  const isGood =
    idProblem === undefined &&
    addressProblem('url') === undefined &&
    addressProblem('image') === undefined &&
    rows.every((row) => twice(row) === undefined && (row.name !== '' || row.text === ''));
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={
        <Text fw={600} className="breaks" lineClamp={1}>
          {item === undefined ? t('item.add') : t('item.title', { id: item.id })}
        </Text>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isGood && !isReadOnly) {
            const fields = rows
              .filter((row) => row.name !== '' && row.text !== '')
              .map((row): [string, unknown] => [row.name, typed(row)]);
            onDone(shownId, fields);
          }
        }}
      >
        <Stack gap="sm">
          {rows
            .filter((row) => USUAL.some((name) => name === row.name))
            .map((row) =>
              row.name === 'text' ? (
                <Textarea
                  key={row.key}
                  label={t('field.text')}
                  autosize
                  minRows={3}
                  maxRows={12}
                  value={row.text}
                  readOnly={isReadOnly}
                  onChange={(event) => set(row.key, { text: event.currentTarget.value })}
                />
              ) : (
                <TextInput
                  key={row.key}
                  label={t(`field.${row.name}`)}
                  value={row.text}
                  readOnly={isReadOnly}
                  error={row.name === 'title' ? undefined : addressProblem(row.name)}
                  onChange={(event) => set(row.key, { text: event.currentTarget.value })}
                  data-autofocus={row.name === 'title' || undefined}
                />
              ),
            )}
          <Text size="sm" fw={500}>
            {t('item.own')}
          </Text>
          {rows
            .filter((row) => !USUAL.some((name) => name === row.name))
            .map((row) => (
              <Group key={row.key} gap="xs" wrap="nowrap" align="flex-start">
                <TextInput
                  aria-label={t('item.fieldName')}
                  placeholder={t('item.fieldName')}
                  value={row.name}
                  readOnly={isReadOnly}
                  error={twice(row)}
                  w={180}
                  onChange={(event) => set(row.key, { name: event.currentTarget.value.trim() })}
                />
                <TextInput
                  aria-label={t('item.fieldValue')}
                  placeholder={t('item.fieldValue')}
                  value={row.text}
                  readOnly={isReadOnly}
                  style={{ flex: 1 }}
                  onChange={(event) => set(row.key, { text: event.currentTarget.value })}
                />
                {!isReadOnly && (
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    mt={4}
                    aria-label={t('item.removeField', { name: row.name })}
                    onClick={() => setRows((before) => before.filter((one) => one.key !== row.key))}
                  >
                    <IconX size={16} />
                  </ActionIcon>
                )}
              </Group>
            ))}
          {!isReadOnly && (
            <Button
              size="compact-sm"
              variant="subtle"
              leftSection={<IconPlus size={14} />}
              style={{ alignSelf: 'flex-start' }}
              onClick={() =>
                setRows((before) => [
                  ...before,
                  {
                    key: Math.max(0, ...before.map((row) => row.key)) + 1,
                    name: '',
                    text: '',
                    before: undefined,
                  },
                ])
              }
            >
              {t('item.addField')}
            </Button>
          )}
          <TextInput
            label={t('item.id')}
            description={t(isSaved ? 'item.idSaved' : 'item.idText')}
            value={shownId}
            readOnly={isSaved || isReadOnly}
            error={idProblem}
            onChange={(event) => setId(event.currentTarget.value)}
          />
          {asking && (
            <Text size="sm" role="alert">
              {t('item.removeText')}
            </Text>
          )}
          <Group justify="space-between" gap="xs">
            {item !== undefined && !isReadOnly ? (
              <Button
                variant={asking ? 'filled' : 'subtle'}
                color="red"
                onClick={() => (asking || !isSaved ? onRemove() : setAsking(true))}
              >
                {t('item.remove')}
              </Button>
            ) : (
              <span />
            )}
            <Group gap="xs">
              <Button variant="default" onClick={onClose}>
                {t(isReadOnly ? 'shell:close' : 'shell:cancel')}
              </Button>
              {!isReadOnly && (
                <Button type="submit" disabled={!isGood}>
                  {t('item.done')}
                </Button>
              )}
            </Group>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
