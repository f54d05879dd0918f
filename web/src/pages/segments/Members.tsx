import { ActionIcon, Button, Group, Modal, Stack, Text, Textarea, Tooltip } from '@mantine/core';
import { IconHelpCircle, IconUserMinus, IconUserPlus } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ContactPicker, type PickedContact, who } from '../../shared/ContactPicker';
import { type Column, DataList, Empty } from '../../shared/DataList';
import { useFormat } from '../../shared/format';
import { tellDone, tellFailure, tellUndoable } from '../../shared/tell';
import { type MemberContact, segments } from './api';
import { Why } from './Why';

type Props = { id: string; isList: boolean; mayChange: boolean };

/** Contacts that a change of a list may name at once. */
const NAMES_MAX = 1_000;

/** Who belongs, and why; who stands on a list is put there and taken off here. */
export function Members({ id, isList, mayChange }: Props) {
  const { t } = useTranslation('segments');
  const format = useFormat();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [asked, setAsked] = useState<PickedContact>();
  const [adding, setAdding] = useState(false);
  const again = () => queries.invalidateQueries({ queryKey: ['segments'] });
  const nameOf = (row: MemberContact) => {
    const { name, address } = who(row.traits);
    return name ?? address ?? row.id;
  };
  const takeOff = async (row: MemberContact) => {
    try {
      await segments.change(id, [row.id], 'remove');
      await again();
      tellUndoable(t('members.removed', { name: nameOf(row).slice(0, 80) }), async () => {
        await segments.change(id, [row.id], 'add');
        await again();
      });
    } catch (error) {
      tellFailure(error);
    }
  };
  const columns: Column<MemberContact>[] = [
    {
      key: 'name',
      title: t('members.name'),
      width: 'minmax(0, 2fr)',
      render: (row) => (
        <Text size="sm" lineClamp={1} className="breaks">
          {nameOf(row)}
        </Text>
      ),
    },
    {
      key: 'address',
      title: t('members.address'),
      width: 'minmax(0, 2fr)',
      render: (row) => (
        <Text size="sm" c="dimmed" lineClamp={1} className="breaks">
          {who(row.traits).address ?? ''}
        </Text>
      ),
    },
    {
      key: 'since',
      title: t('members.known'),
      from: 'md',
      width: '140px',
      render: (row) => format.day(row.created_at),
    },
    {
      key: 'actions',
      title: '',
      width: '92px',
      align: 'right',
      render: (row) => (
        <Group gap={2} wrap="nowrap" justify="flex-end">
          <Tooltip label={t('members.why')}>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={t('members.whyOf', { name: nameOf(row).slice(0, 80) })}
              onClick={() => setAsked({ id: row.id, name: nameOf(row) })}
            >
              <IconHelpCircle size={16} />
            </ActionIcon>
          </Tooltip>
          {isList && mayChange && (
            <Tooltip label={t('members.remove')}>
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={t('members.removeOf', { name: nameOf(row).slice(0, 80) })}
                onClick={() => takeOff(row)}
              >
                <IconUserMinus size={16} />
              </ActionIcon>
            </Tooltip>
          )}
        </Group>
      ),
    },
  ];
  return (
    <Stack gap="sm">
      <Group justify="space-between" align="flex-end" gap="sm">
        <div style={{ width: 300, maxWidth: '100%' }}>
          <ContactPicker
            label={t('members.ask')}
            placeholder={t('members.askPlaceholder')}
            nobody={t('members.nobody')}
            value={undefined}
            onChange={setAsked}
          />
        </div>
        {isList && mayChange && (
          <Button leftSection={<IconUserPlus size={16} />} onClick={() => setAdding(true)}>
            {t('members.add')}
          </Button>
        )}
      </Group>
      <DataList
        label={t('members.label')}
        queryKey={['segments', id, 'members']}
        load={(cursor, signal) => segments.members(id, cursor, signal)}
        rowKey={(row) => row.id}
        columns={columns}
        onOpen={(row) => navigate({ to: '/contacts/$id', params: { id: row.id } as never })}
        empty={
          <Empty
            title={t('members.empty')}
            text={t(isList ? 'members.emptyList' : 'members.emptyCondition')}
            {...(isList && mayChange
              ? { action: { label: t('members.add'), run: () => setAdding(true) } }
              : {})}
          />
        }
      />
      <Why segment={id} contact={asked} onClose={() => setAsked(undefined)} />
      <AddMembers id={id} opened={adding} onClose={() => setAdding(false)} onDone={again} />
    </Stack>
  );
}

type AddProps = { id: string; opened: boolean; onClose: () => void; onDone: () => void };

/** Puts contacts on a list: one a line, as a spreadsheet's column is pasted. */
function AddMembers({ id, opened, onClose, onDone }: AddProps) {
  const { t } = useTranslation('segments');
  const [text, setText] = useState('');
  const [unknown, setUnknown] = useState<string[]>([]);
  const [busy, setBusy] = useState(false);
  const names = [
    ...new Set(
      text
        .split(/[\n,;\t]+/)
        .map((one) => one.trim())
        .filter((one) => one !== ''),
    ),
  ];
  const put = async () => {
    setBusy(true);
    try {
      let added = 0;
      const missing: string[] = [];
      for (let at = 0; at < names.length; at += NAMES_MAX) {
        const told = await segments.change(id, names.slice(at, at + NAMES_MAX), 'add');
        added += told.added ?? 0;
        missing.push(...told.unknown);
      }
      onDone();
      tellDone(t('members.added', { count: added }));
      setUnknown(missing);
      setText(missing.join('\n'));
      if (missing.length === 0) {
        onClose();
      }
    } catch (error) {
      tellFailure(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal opened={opened} onClose={onClose} title={t('members.add')} size="lg">
      <Stack gap="sm">
        <Textarea
          label={t('members.paste')}
          description={t('members.pasteHelp')}
          autosize
          minRows={6}
          maxRows={16}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            setUnknown([]);
          }}
          error={unknown.length > 0 ? t('members.unknown', { count: unknown.length }) : undefined}
          data-autofocus
        />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            {t('shell:cancel')}
          </Button>
          <Button onClick={put} loading={busy} disabled={names.length === 0}>
            {t('members.addCount', { count: names.length })}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
