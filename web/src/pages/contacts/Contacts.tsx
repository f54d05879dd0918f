/** Everyone who is known: found by any of their names, by owner, by segment. */
import { Anchor, Badge, Button, CloseButton, Group, Select, Text, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconDownload, IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Column, DataList, Empty, type Sort } from '../../shared/DataList';
import { useFormat } from '../../shared/format';
import { OwnerSelect } from '../../shared/OwnerSelect';
import { Page } from '../../shared/Page';
import { textOf, useAddress } from '../../shared/useAddress';
import { useSelection } from '../../shared/useSelection';
import { useMay, useSession } from '../../shell/useSession';
import { type ContactFilters, loadContacts, segmentsQuery } from './api';
import { ChannelBadges } from './ChannelBadges';
import { saveRows } from './csv';
import { type Contact, companyOf, nameOf, ownerOf, trait } from './people';

const TYPING_MS = 250;

export function Contacts() {
  const { t } = useTranslation('contacts');
  const may = useMay();
  const mine = useSession();
  const navigate = useNavigate();
  const [address, change] = useAddress();
  const selection = useSelection();
  const columns = useColumns();
  const seen = useRef(new Map<string, Contact>());
  const segments = useQuery({ ...segmentsQuery, enabled: may('see') });
  const filters: ContactFilters = {
    ...pick('search', textOf(address.search)),
    ...pick('owner', textOf(address.owner)),
    ...pick('segment', textOf(address.segment)),
  };
  const sort: Sort =
    address.sort === 'name'
      ? { by: 'name', order: address.order === 'desc' ? 'desc' : 'asc' }
      : { by: 'newest', order: address.order === 'asc' ? 'asc' : 'desc' };
  const isFiltered = Object.keys(filters).length > 0;
  const clear = () => change({ search: undefined, owner: undefined, segment: undefined });
  const seesOthers = mine?.user?.role !== 'salesperson';
  return (
    <Page
      title={t('title')}
      actions={
        may('export') && (
          <Button
            component="a"
            href={`/api/v1/contacts/export?${new URLSearchParams({ format: 'csv', ...pick('segment', filters.segment) })}`}
            download
            variant="default"
            size="sm"
            leftSection={<IconDownload size={16} aria-hidden />}
          >
            {filters.segment === undefined ? t('exportAll') : t('exportSegment')}
          </Button>
        )
      }
    >
      <Group gap="xs">
        <SearchBox
          value={filters.search ?? ''}
          set={(search) => change({ search: search === '' ? undefined : search })}
        />
        {seesOthers && <OwnerSelect value={filters.owner} set={(owner) => change({ owner })} />}
        <Select
          size="xs"
          w={220}
          clearable
          searchable
          aria-label={t('segment')}
          placeholder={t('segment')}
          data={(segments.data?.items ?? []).map((one) => ({ value: one.id, label: one.name ?? one.id }))}
          value={filters.segment ?? null}
          onChange={(segment) => change({ segment: segment ?? undefined })}
        />
        {isFiltered && (
          <Button size="xs" variant="subtle" color="gray" onClick={clear}>
            {t('clearFilters')}
          </Button>
        )}
      </Group>
      {selection.keys.length > 0 && (
        <Group gap="xs" role="toolbar" aria-label={t('selected', { count: selection.keys.length })}>
          <Text size="sm">{t('selected', { count: selection.keys.length })}</Text>
          <Button
            size="xs"
            onClick={() => saveRows(selection.keys.flatMap((id) => seen.current.get(id) ?? []))}
            leftSection={<IconDownload size={14} aria-hidden />}
          >
            {t('exportSelected')}
          </Button>
          <Button size="xs" variant="subtle" color="gray" onClick={selection.clear}>
            {t('clear')}
          </Button>
        </Group>
      )}
      <DataList
        label={t('title')}
        queryKey={['contacts', 'list', filters, sort]}
        load={async (cursor, signal) => {
          const page = await loadContacts({ ...filters, sort: sort.by, order: sort.order }, cursor, signal);
          for (const contact of page.items) {
            seen.current.set(contact.id, contact);
          }
          return page;
        }}
        rowKey={(contact) => contact.id}
        columns={columns}
        sort={sort}
        onSort={({ by }) =>
          change(
            by === sort.by
              ? { order: sort.order === 'asc' ? 'desc' : 'asc', sort: by }
              : { sort: by, order: by === 'name' ? 'asc' : 'desc' },
          )
        }
        onOpen={(contact) => navigate({ to: '/contacts/$id', params: { id: contact.id } })}
        selection={may('export') ? selection : undefined}
        rowLabel={nameOf}
        empty={
          isFiltered ? (
            <Empty
              title={t('noneFound.title')}
              text={t('noneFound.text')}
              action={{ label: t('clearFilters'), run: clear }}
            />
          ) : (
            <Empty
              title={t('none.title')}
              text={t('none.text')}
              {...(may('import')
                ? { action: { label: t('none.import'), run: () => navigate({ to: '/imports' }) } }
                : {})}
            />
          )
        }
      />
    </Page>
  );
}

function pick<Name extends string>(name: Name, value: string | undefined): { [key in Name]?: string } {
  return value === undefined ? {} : ({ [name]: value } as { [key in Name]?: string });
}

function SearchBox({ value, set }: { value: string; set: (value: string) => void }) {
  const { t } = useTranslation('contacts');
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const later = useDebouncedCallback(set, TYPING_MS);
  return (
    <TextInput
      size="xs"
      w={{ base: '100%', xs: 320 }}
      type="search"
      aria-label={t('search')}
      placeholder={t('search')}
      leftSection={<IconSearch size={14} aria-hidden />}
      rightSection={
        text !== '' && (
          <CloseButton
            size="xs"
            aria-label={t('clearSearch')}
            onClick={() => {
              setText('');
              set('');
            }}
          />
        )
      }
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        later(event.currentTarget.value.trim());
      }}
    />
  );
}

function useColumns(): Column<Contact>[] {
  const { t } = useTranslation('contacts');
  const format = useFormat();
  return useMemo(
    () => [
      {
        key: 'name',
        title: t('name'),
        sort: 'name',
        width: 'minmax(180px, 2fr)',
        render: (contact) => (
          <div style={{ minWidth: 0 }}>
            <Anchor
              size="sm"
              fw={500}
              lineClamp={1}
              renderRoot={(props) => <Link {...props} to="/contacts/$id" params={{ id: contact.id }} />}
            >
              {nameOf(contact)}
            </Anchor>
            <Text size="xs" c="dimmed" truncate>
              {Object.values(contact.found_by ?? {})[0] ??
                trait(contact.traits, 'email') ??
                trait(contact.traits, 'phone') ??
                ''}
            </Text>
          </div>
        ),
      },
      {
        key: 'company',
        title: t('company'),
        width: 'minmax(120px, 1.4fr)',
        render: (contact) => (
          <Text size="sm" lineClamp={1} className="breaks">
            {companyOf(contact.traits) ?? ''}
          </Text>
        ),
      },
      {
        key: 'owner',
        title: t('owner'),
        width: 'minmax(110px, 1fr)',
        from: 'md',
        render: (contact) => (
          <Text size="sm" truncate title={ownerOf(contact)}>
            {ownerOf(contact)?.split('@')[0] ?? ''}
          </Text>
        ),
      },
      {
        key: 'grade',
        title: t('grade'),
        width: '80px',
        from: 'md',
        render: (contact) => <Grade grade={trait(contact.traits, 'grade')} />,
      },
      {
        key: 'channels',
        title: t('channels'),
        width: 'minmax(110px, 1fr)',
        from: 'lg',
        render: (contact) => <ChannelBadges contact={contact} />,
      },
      {
        key: 'newest',
        title: t('since'),
        sort: 'newest',
        width: '130px',
        render: (contact) => format.brief(contact.created_at),
      },
    ],
    [t, format],
  );
}

export function Grade({ grade }: { grade: string | undefined }) {
  const { t } = useTranslation('contacts');
  const colors: Record<string, string> = { A: 'green', B: 'teal', C: 'yellow', D: 'gray' };
  return grade === undefined ? null : (
    <Badge
      variant="light"
      radius="sm"
      color={colors[grade] ?? 'gray'}
      aria-label={t('gradeOf', { grade })}
      maw={80}
    >
      {grade}
    </Badge>
  );
}
