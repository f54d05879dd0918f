/** Finds contacts, documents, journeys and pages from anywhere; by keyboard alone. */
import {
  Center,
  Group,
  Kbd,
  Loader,
  Modal,
  ScrollArea,
  Text,
  TextInput,
  UnstyledButton,
} from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconAddressBook, IconFileInvoice, IconRoute, IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type ComponentType, type KeyboardEvent, useEffect, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { journeysQuery, loadContacts } from '../pages/contacts/api';
import { companyOf, nameOf, trait } from '../pages/contacts/people';
import { factsOf, loadDocuments } from '../pages/documents/api';
import { useFormat } from '../shared/format';
import { PARTS } from './places';
import { type Found, keepRecent, recentOf } from './recent';
import classes from './Search.module.css';
import { useMay, useSession } from './useSession';

const TYPING_MS = 160;
const EACH_MAX = 6;
const TEXT_CHARS_MAX = 100;

const ICONS: Record<Found['kind'], ComponentType<{ size?: number; stroke?: number }>> = {
  contact: IconAddressBook,
  document: IconFileInvoice,
  journey: IconRoute,
  page: IconSearch,
};

export function Search({ close }: { close: () => void }) {
  const { t } = useTranslation('shell');
  const navigate = useNavigate();
  const user = useSession()?.user?.address ?? '';
  const list = useId();
  const [text, setText] = useState('');
  const [asked] = useDebouncedValue(text.trim().slice(0, TEXT_CHARS_MAX), TYPING_MS);
  const { found, isFetching } = useFound(asked);
  const shown = asked === '' ? recentOf(user) : found;
  const [active, setActive] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: other results begin at the first
  useEffect(() => setActive(0), [asked, shown.length]);
  useEffect(() => {
    document.getElementById(`${list}-${active}`)?.scrollIntoView({ block: 'nearest' });
  }, [active, list]);

  const open = (one: Found) => {
    keepRecent(user, one);
    close();
    navigate({ to: one.to });
  };
  const press = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) {
      return;
    }
    const one = shown[active];
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const by = event.key === 'ArrowDown' ? 1 : -1;
      setActive((at) => (shown.length === 0 ? 0 : (at + by + shown.length) % shown.length));
    } else if (event.key === 'Enter' && one !== undefined && asked === text.trim().slice(0, TEXT_CHARS_MAX)) {
      event.preventDefault();
      open(one);
    }
  };
  const groups = grouped(shown);
  return (
    <Modal.Root opened onClose={close} size={620} yOffset="10dvh" transitionProps={{ duration: 0 }}>
      <Modal.Overlay />
      <Modal.Content aria-label={t('search.open')}>
        <Modal.Body p={0}>
          <TextInput
            data-autofocus
            size="md"
            variant="unstyled"
            px="md"
            role="combobox"
            aria-expanded={shown.length > 0}
            aria-controls={list}
            aria-activedescendant={shown[active] === undefined ? undefined : `${list}-${active}`}
            aria-autocomplete="list"
            aria-label={t('search.open')}
            placeholder={t('search.open')}
            leftSection={<IconSearch size={18} aria-hidden />}
            rightSection={isFetching ? <Loader size="xs" aria-label={t('search.searching')} /> : null}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            onKeyDown={press}
          />
          <ScrollArea.Autosize mah="60dvh" className={classes.results}>
            <div role="listbox" id={list} aria-label={t('search.results')}>
              {groups.map(({ kind, items }) => (
                // biome-ignore lint/a11y/useSemanticElements: a group of options, not of fields
                <div
                  key={kind}
                  role="group"
                  aria-label={asked === '' ? t('search.recent') : t(`search.kind.${kind}`)}
                >
                  <Text size="xs" fw={600} c="dimmed" px="md" pt="xs" pb={2} aria-hidden>
                    {asked === '' ? t('search.recent') : t(`search.kind.${kind}`)}
                  </Text>
                  {items.map(({ one, index }) => {
                    const Icon = ICONS[one.kind];
                    return (
                      <UnstyledButton
                        key={`${one.kind}:${one.to}`}
                        id={`${list}-${index}`}
                        role="option"
                        tabIndex={-1}
                        aria-selected={index === active}
                        className={classes.result}
                        data-active={index === active || undefined}
                        onMouseMove={() => setActive(index)}
                        onClick={() => open(one)}
                      >
                        <Icon size={17} stroke={1.6} />
                        <Text size="sm" truncate style={{ flex: '0 1 auto' }}>
                          {one.title}
                        </Text>
                        <Text size="sm" c="dimmed" truncate style={{ flex: 1, minWidth: 0 }}>
                          {one.more}
                        </Text>
                      </UnstyledButton>
                    );
                  })}
                </div>
              ))}
            </div>
            {shown.length === 0 && (
              <Center p="lg">
                <Text size="sm" c="dimmed" role="status">
                  {asked === '' ? t('search.hint') : isFetching ? t('search.searching') : t('search.none')}
                </Text>
              </Center>
            )}
          </ScrollArea.Autosize>
          <Group gap="xs" px="md" py={8} className={classes.foot} visibleFrom="sm">
            <Kbd size="xs">↑↓</Kbd>
            <Text size="xs" c="dimmed">
              {t('search.move')}
            </Text>
            <Kbd size="xs">Enter</Kbd>
            <Text size="xs" c="dimmed">
              {t('search.go')}
            </Text>
            <Kbd size="xs">Esc</Kbd>
            <Text size="xs" c="dimmed">
              {t('close')}
            </Text>
          </Group>
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

/** What is found, by sort; each sort is asked for by itself, so that a slow one holds up no other. */
function useFound(asked: string): { found: Found[]; isFetching: boolean } {
  const { t } = useTranslation('shell');
  const may = useMay();
  const format = useFormat();
  const enabled = asked !== '' && may('see');
  const contacts = useQuery({
    queryKey: ['contacts', 'find', asked],
    queryFn: ({ signal }) => loadContacts({ search: asked, limit: EACH_MAX }, undefined, signal),
    enabled,
    retry: false,
  });
  const documents = useQuery({
    queryKey: ['documents', 'find', asked],
    queryFn: ({ signal }) => loadDocuments({ search: asked, limit: EACH_MAX }, undefined, signal),
    enabled,
    retry: false,
  });
  const journeys = useQuery({ ...journeysQuery, enabled, retry: false });
  const has = (words: string) => words.toLowerCase().includes(asked.toLowerCase());
  const pages = PARTS.flatMap((part) => part.places).filter(
    (place) => (place.needs === undefined || may(place.needs)) && has(t(`place.${place.name}`)),
  );
  const found: Found[] = [
    ...(contacts.data?.items ?? []).slice(0, EACH_MAX).map(
      (one): Found => ({
        kind: 'contact',
        to: `/contacts/${one.id}`,
        title: nameOf(one),
        more: [companyOf(one.traits), trait(one.traits, 'email')].filter(Boolean).join(' · '),
      }),
    ),
    ...(documents.data?.items ?? []).slice(0, EACH_MAX).map((one): Found => {
      const facts = factsOf(one);
      return {
        kind: 'document',
        to: `/documents/${encodeURIComponent(one.contact)}/${encodeURIComponent(one.id)}`,
        title: facts.number,
        more: [facts.client, format.amount(facts.amount, facts.currency)].filter(Boolean).join(' · '),
      };
    }),
    ...(journeys.data?.items ?? [])
      .filter((one) => has(`${one.name ?? ''} ${one.id}`))
      .slice(0, EACH_MAX)
      .map(
        (one): Found => ({ kind: 'journey', to: `/journeys/${one.id}`, title: one.name ?? one.id, more: '' }),
      ),
    ...pages.map(
      (place): Found => ({ kind: 'page', to: place.to, title: t(`place.${place.name}`), more: '' }),
    ),
  ];
  return { found: enabled ? found : [], isFetching: contacts.isFetching || documents.isFetching };
}

/** Results under their sort, with the place of each in the whole. */
function grouped(found: Found[]) {
  const groups: { kind: Found['kind']; items: { one: Found; index: number }[] }[] = [];
  for (const [index, one] of found.entries()) {
    const last = groups.at(-1);
    if (last?.kind === one.kind) {
      last.items.push({ one, index });
    } else {
      groups.push({ kind: one.kind, items: [{ one, index }] });
    }
  }
  return groups;
}
