import { Alert, Button, Group, SegmentedControl, Skeleton, Stack, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Document, stringify } from 'yaml';
import { Failure, failureOf } from '../../api/problem';
import { CodeEditor } from '../../shared/editing/CodeEditor';
import { readDocument } from '../../shared/editing/document';
import { keepLines } from '../../shared/editing/keepLines';
import { RemoveMenu } from '../../shared/editing/RemoveMenu';
import {
  ConflictDialog,
  Restored,
  SaveDialog,
  SaveState,
  Stale,
  useKeepWhenClosed,
} from '../../shared/editing/SaveParts';
import { useDraft } from '../../shared/editing/useDraft';
import { useFormat } from '../../shared/format';
import { Page } from '../../shared/Page';
import { ProblemNote } from '../../shared/ProblemNote';
import { tellDone, tellFailure } from '../../shared/tell';
import { textOf, useAddress } from '../../shared/useAddress';
import { useNow } from '../../shared/useNow';
import { useMay } from '../../shell/useSession';
import { type ListShown, lists } from './api';
import { ItemDialog } from './ItemDialog';
import { Items } from './Items';
import { addItem, changeItem, type Item, moveItem, readItems, removeItem } from './items';

export function List() {
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const [search] = useAddress();
  const query = useQuery({
    queryKey: ['templates', 'lists', id, 'shown'],
    queryFn: ({ signal }) => lists.show(id, signal),
  });
  if (query.data !== undefined) {
    return <Opened key={id} id={id} list={query.data} />;
  }
  if (query.isError && failureOf(query.error).status === 404 && search.start === 'list') {
    const name = textOf(search.name);
    const fresh = stringify({ format: 'list/1', id, ...(name === undefined ? {} : { name }), items: [] });
    return <Opened key={id} id={id} list={undefined} fresh={fresh} />;
  }
  return (
    <Page title={id}>
      {query.isError ? (
        <ProblemNote error={query.error} retry={() => query.refetch()} />
      ) : (
        <Skeleton height={360} aria-hidden />
      )}
    </Page>
  );
}

type Mistake = { line?: number; path?: string; text: string };
type Props = { id: string; list: ListShown | undefined; fresh?: string };

function Opened({ id, list, fresh }: Props) {
  const { t } = useTranslation('lists');
  const may = useMay()('templates');
  const format = useFormat();
  const now = useNow();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [search, change] = useAddress();
  const [editing, setEditing] = useState<Item | 'new'>();
  const [saving, setSaving] = useState(false);
  const [conflict, setConflict] = useState<{ by: string | undefined }>();
  const isNew = list === undefined;
  const saved = list?.text ?? fresh;
  const draft = useDraft<string>(`list:${id}`, saved, list?.revision ?? 'new');
  useKeepWhenClosed(draft.isChanged);
  const text = draft.value ?? '';
  const { document, items } = useMemo(() => {
    const parsed = readDocument(text);
    return { document: parsed, items: readItems(parsed) };
  }, [text]);
  const before = useMemo(() => {
    const known = saved === undefined ? undefined : readItems(readDocument(saved));
    return isNew ? [] : (known ?? []).map((one) => one.id);
  }, [saved, isNew]);
  const view = search.view === 'text' || items === undefined ? 'text' : 'items';
  const edit = (work: (document: Document) => void) => {
    work(document);
    draft.set(keepLines(text, document));
  };
  const save = useMutation({
    mutationFn: async () => {
      if (isNew) {
        // Somebody may have made one of this name meanwhile.
        const other = await lists.show(id, new AbortController().signal).catch(() => undefined);
        if (other !== undefined) {
          throw new Failure(412, { code: 'stale' });
        }
      }
      return lists.put(id, text, isNew ? undefined : draft.base);
    },
    onSuccess: async () => {
      setSaving(false);
      await queries.invalidateQueries({ queryKey: ['templates', 'lists'] });
      draft.discard();
      change({ start: undefined, name: undefined });
      tellDone(t('saved'));
    },
    onError: async (error) => {
      const { status, problem } = failureOf(error);
      if (status === 412) {
        setSaving(false);
        await queries.refetchQueries({ queryKey: ['templates', 'lists', id, 'shown'] });
        setConflict({ by: typeof problem.by === 'string' ? problem.by : undefined });
      } else if (status !== 422) {
        tellFailure(error);
      }
    },
  });
  const refused = save.isError ? failureOf(save.error) : undefined;
  const mistakes = (Array.isArray(refused?.problem.problems) ? refused.problem.problems : []) as Mistake[];
  const changes = [{ name: `lists/${id}.yaml`, before: isNew ? '' : (saved ?? ''), after: text }];
  const name = document.get?.('name');
  return (
    <Page
      title={typeof name === 'string' && name !== '' ? name : id}
      lead={
        <Text span size="sm" className="breaks">
          {list === undefined
            ? t('new.lead')
            : `${id} · ${t('updated', { when: format.relative(list.updated_at, now) })}`}
        </Text>
      }
      actions={
        may && (
          <>
            <SaveState isChanged={draft.isChanged} isNew={isNew} />
            <Button disabled={!draft.isChanged && !isNew} onClick={() => setSaving(true)}>
              {t('shell:save')}
            </Button>
            {!isNew && (
              <RemoveMenu
                title={t('remove.title', { id })}
                text={t('remove.text')}
                remove={() => lists.remove(id)}
                onGone={() => {
                  draft.discard();
                  navigate({ to: '/lists' });
                  queries.invalidateQueries({ queryKey: ['templates', 'lists'] });
                  tellDone(t('removed', { id }));
                }}
              />
            )}
          </>
        )
      }
    >
      <Restored at={draft.restoredAt} onDiscard={draft.discard} />
      <Stale isStale={draft.isStale} onCompare={() => setConflict({ by: undefined })} />
      <Group justify="space-between" gap="xs">
        <SegmentedControl
          size="xs"
          aria-label={t('view.label')}
          value={view}
          data={[
            { value: 'items', label: t('view.items'), disabled: items === undefined },
            { value: 'text', label: t('view.text') },
          ]}
          onChange={(next) => change({ view: next === 'text' ? 'text' : undefined })}
        />
        {may && view === 'items' && (
          <Button
            size="xs"
            variant="light"
            leftSection={<IconPlus size={14} />}
            onClick={() => setEditing('new')}
          >
            {t('item.add')}
          </Button>
        )}
      </Group>
      {items === undefined && (
        <Alert color="yellow" variant="light" title={t('broken')}>
          {document.errors[0]?.message ?? t('brokenText')}
        </Alert>
      )}
      {view === 'items' && items !== undefined ? (
        <Items
          items={items}
          mayChange={may}
          isSaved={(one) => before.includes(one)}
          onOpen={setEditing}
          onMove={(from, to) => edit((own) => moveItem(own, from, to))}
          onAdd={() => setEditing('new')}
        />
      ) : (
        <CodeEditor
          label={t('text')}
          language="yaml"
          value={text}
          {...(may ? { onChange: draft.set } : {})}
          height="min(72vh, 800px)"
        />
      )}
      {editing !== undefined && items !== undefined && (
        <ItemDialog
          item={editing === 'new' ? undefined : editing}
          taken={items.map((one) => one.id)}
          usual={fieldsOf(items)}
          isSaved={editing !== 'new' && before.includes(editing.id)}
          isReadOnly={!may}
          onClose={() => setEditing(undefined)}
          onDone={(own, fields) => {
            edit((to) =>
              editing === 'new' ? addItem(to, own, fields) : changeItem(to, editing.at, own, fields),
            );
            setEditing(undefined);
          }}
          onRemove={() => {
            if (editing !== 'new') {
              edit((from) => removeItem(from, editing.at));
            }
            setEditing(undefined);
          }}
        />
      )}
      <SaveDialog
        opened={saving}
        onClose={() => setSaving(false)}
        changes={changes}
        onSave={() => save.mutate()}
        isSaving={save.isPending}
      >
        {refused?.status === 422 && (
          <Stack gap={4} role="alert">
            {mistakes.length === 0 ? (
              <ProblemNote error={save.error} />
            ) : (
              mistakes.map((one) => (
                <Text key={`${one.line ?? 0}${one.text}`} size="sm" c="red" className="breaks">
                  {one.text}
                </Text>
              ))
            )}
          </Stack>
        )}
        <Text size="sm">{t('saveText')}</Text>
      </SaveDialog>
      <ConflictDialog
        opened={conflict !== undefined}
        onClose={() => setConflict(undefined)}
        changes={changes}
        by={conflict?.by}
        onMine={() => {
          draft.rebase();
          setConflict(undefined);
          setSaving(true);
        }}
        onTheirs={() => {
          draft.discard();
          setConflict(undefined);
        }}
      />
    </Page>
  );
}

/** Fields that the list's items have, so that a new one offers them too. */
function fieldsOf(items: readonly Item[]): string[] {
  const found = new Set<string>();
  for (const { fields } of items.slice(0, 50)) {
    for (const [name] of fields) {
      found.add(name);
    }
  }
  return [...found];
}
