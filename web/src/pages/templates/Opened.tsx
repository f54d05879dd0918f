import type { EditorView } from '@codemirror/view';
import { Button, Grid, Group, Stack, Tabs, Text } from '@mantine/core';
import { IconSend } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure, failureOf } from '../../api/problem';
import { ContactPicker, type PickedContact } from '../../shared/ContactPicker';
import { CodeEditor, goToLine } from '../../shared/editing/CodeEditor';
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
import { tellDone, tellFailure } from '../../shared/tell';
import { textOf, useAddress } from '../../shared/useAddress';
import { useNow } from '../../shared/useNow';
import { useMay } from '../../shell/useSession';
import {
  type FileMistake,
  type Files,
  type Rendered,
  type TemplateShown,
  templates,
  type Variable,
} from './api';
import { Checks } from './Checks';
import { languageName, sortedNames } from './files';
import { jinja } from './jinja';
import { LanguageMenu } from './LanguageMenu';
import { LOOKS, Preview } from './Preview';
import { TestSend } from './TestSend';
import { useRendered } from './useRendered';
import { Variables } from './Variables';

type Props = { id: string; template: TemplateShown | undefined; fresh?: Files };

const NO_FILES: Files = {};

/** A template's files beside what they become. */
export function Opened({ id, template, fresh }: Props) {
  const { t, i18n } = useTranslation('templates');
  const may = useMay()('templates');
  const format = useFormat();
  const now = useNow();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [search, change] = useAddress();
  const [contact, setContact] = useState<PickedContact>();
  const [saving, setSaving] = useState(false);
  const [testing, setTesting] = useState(false);
  const [conflict, setConflict] = useState<{ by: string | undefined }>();
  const isNew = template === undefined;
  const saved = template?.files ?? fresh;
  const draft = useDraft<Files>(`template:${id}`, saved, template?.revision ?? 'new');
  useKeepWhenClosed(draft.isChanged);
  const files = draft.value ?? NO_FILES;
  const names = useMemo(() => sortedNames(id, Object.keys(files)), [id, files]);
  const file = names.find((one) => one.name === textOf(search.file)) ?? names[0];
  const look = LOOKS.find((one) => one === textOf(search.look)) ?? 'desktop';
  const named = textOf(search.contact);
  const live = useRendered(files, file?.language || undefined, contact?.id ?? named);
  const { rendered } = live;
  const shownContact = contact ?? contactOf(named, rendered);

  const editor = useRef<EditorView>(undefined);
  const variables = useRef<readonly Variable[]>([]);
  variables.current = rendered?.variables ?? [];
  const speaks = useMemo(() => jinja(() => variables.current), []);
  const mistakes = useMemo(
    () =>
      (rendered?.mistakes ?? [])
        .filter((one) => one.file === file?.name)
        .map((one) => ({ line: one.line ?? 1, text: one.text })),
    [rendered, file],
  );

  const save = useMutation({
    mutationFn: async () => {
      if (isNew) {
        // Somebody may have made one of this name meanwhile.
        const other = await templates.show(id, new AbortController().signal).catch(() => undefined);
        if (other !== undefined) {
          throw new Failure(412, { code: 'stale' });
        }
      }
      return templates.put(id, files, isNew ? undefined : draft.base);
    },
    onSuccess: async () => {
      setSaving(false);
      await queries.invalidateQueries({ queryKey: ['templates'] });
      draft.discard();
      change({ start: undefined, language: undefined });
      tellDone(t('saved'));
    },
    onError: async (error) => {
      const { status, problem } = failureOf(error);
      if (status !== 412) {
        tellFailure(error);
        return;
      }
      setSaving(false);
      await queries.refetchQueries({ queryKey: ['templates', id, 'shown'] });
      setConflict({ by: typeof problem.by === 'string' ? problem.by : undefined });
    },
  });
  const write = (name: string, text: string) => draft.set({ ...files, [name]: text });
  const without = (name: string) => Object.fromEntries(Object.entries(files).filter(([one]) => one !== name));
  const drop = useMutation({
    mutationFn: (name: string) => templates.remove(id, name),
    onSuccess: async (_removed, name) => {
      // What else was written stays, on top of what the server has now.
      const rest = draft.isChanged ? without(name) : undefined;
      await queries.refetchQueries({ queryKey: ['templates', id, 'shown'] });
      draft.discard();
      if (rest !== undefined) {
        draft.set(rest);
      }
      change({ file: undefined });
      tellDone(t('removed', { id: name }));
    },
    onError: tellFailure,
  });
  const insert = (name: string) => {
    const view = editor.current;
    if (view !== undefined) {
      const { from, to } = view.state.selection.main;
      const text = `{{ ${name} }}`;
      view.dispatch({
        changes: { from, to, insert: text },
        selection: { anchor: from + text.length },
        scrollIntoView: true,
      });
      view.focus();
    }
  };
  const goTo = (mistake: FileMistake) => {
    change({ file: mistake.file });
    // The other file comes into the editor with the next rendering.
    setTimeout(() => goToLine(editor.current, mistake.line ?? 1), 50);
  };
  const everyName = [...new Set([...Object.keys(saved ?? {}), ...Object.keys(files)])].sort();
  const changes = everyName.map((name) => ({
    name,
    before: (isNew ? undefined : saved?.[name]) ?? '',
    after: files[name] ?? '',
  }));
  return (
    <Page
      title={id}
      lead={
        template === undefined ? (
          t('new.lead')
        ) : (
          <Text span size="sm" className="breaks">
            {t('updated', { when: format.relative(template.updated_at, now) })}
            {template.used_by.length > 0 && ` · ${t('usedBy', { journeys: template.used_by.join(', ') })}`}
          </Text>
        )
      }
      actions={
        <>
          {may && <SaveState isChanged={draft.isChanged} isNew={isNew} />}
          {may && (
            <Button
              variant="default"
              leftSection={<IconSend size={16} />}
              disabled={isNew}
              onClick={() => setTesting(true)}
            >
              {t('test.button')}
            </Button>
          )}
          {may && (
            <Button disabled={!draft.isChanged && !isNew} onClick={() => setSaving(true)}>
              {t('shell:save')}
            </Button>
          )}
          {may && !isNew && (
            <RemoveMenu
              title={t('remove.title', { id })}
              text={t('remove.text')}
              remove={() => templates.remove(id)}
              onGone={() => {
                draft.discard();
                navigate({ to: '/templates' });
                queries.invalidateQueries({ queryKey: ['templates'] });
                tellDone(t('removed', { id }));
              }}
            />
          )}
        </>
      }
    >
      <Restored at={draft.restoredAt} onDiscard={draft.discard} />
      <Stale isStale={draft.isStale} onCompare={() => setConflict({ by: undefined })} />
      <Group gap="xs" align="flex-end" wrap="nowrap">
        <Tabs
          value={file?.name ?? null}
          onChange={(name) => change({ file: name ?? undefined })}
          style={{ minWidth: 0 }}
        >
          <Tabs.List>
            {names.map((one) => (
              <Tabs.Tab key={one.name} value={one.name}>
                {one.language === '' ? t('anyLanguage') : languageName(one.language, i18n.language)}
                <Text span size="xs" c="dimmed">
                  {' '}
                  {t(`form.${one.form}`)}
                </Text>
              </Tabs.Tab>
            ))}
          </Tabs.List>
        </Tabs>
        {may && (
          <LanguageMenu
            id={id}
            files={files}
            file={file}
            isSaved={file !== undefined && template?.files[file.name] !== undefined}
            onAdd={(name, text) => {
              write(name, text);
              change({ file: name });
            }}
            onRemove={(name) =>
              template?.files[name] === undefined ? draft.set(without(name)) : drop.mutate(name)
            }
            isBusy={drop.isPending}
          />
        )}
      </Group>
      <Grid gap="md">
        <Grid.Col span={{ base: 12, lg: 6 }}>
          <Stack gap="xs">
            <Group gap="xs" mih={30}>
              {may && <Variables variables={rendered?.variables ?? []} onInsert={insert} />}
              <div style={{ flex: 1, minWidth: 160, maxWidth: 280 }}>
                <ContactPicker
                  hideLabel
                  label={t('contact.label')}
                  placeholder={t('contact.placeholder')}
                  nobody={t('contact.nobody')}
                  value={shownContact}
                  onChange={(next) => {
                    setContact(next);
                    change({ contact: next?.id });
                  }}
                />
              </div>
            </Group>
            {file !== undefined && (
              <CodeEditor
                key={file.name}
                label={t('editor', { file: file.name })}
                language={file.form === 'txt' ? 'text' : 'html'}
                value={files[file.name] ?? ''}
                {...(may ? { onChange: (text: string) => write(file.name, text) } : {})}
                extensions={speaks}
                problems={mistakes}
                height="min(76vh, 860px)"
                onView={(view) => {
                  editor.current = view;
                }}
              />
            )}
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 6 }}>
          <Stack gap="md">
            <Preview
              live={live}
              look={look}
              onLook={(next) => change({ look: next === 'desktop' ? undefined : next })}
            />
            {rendered !== undefined && <Checks rendered={rendered} onGo={goTo} />}
          </Stack>
        </Grid.Col>
      </Grid>
      <SaveDialog
        opened={saving}
        onClose={() => setSaving(false)}
        changes={changes}
        onSave={() => save.mutate()}
        isSaving={save.isPending}
      >
        {template !== undefined && template.used_by.length > 0 && (
          <Text size="sm" className="breaks">
            {t('saveUsed', { count: template.used_by.length, journeys: template.used_by.join(', ') })}
          </Text>
        )}
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
      <TestSend
        id={id}
        contact={shownContact}
        isChanged={draft.isChanged}
        opened={testing}
        onClose={() => setTesting(false)}
      />
    </Page>
  );
}

/** A contact that the address names: what it is called stands among the variables. */
function contactOf(id: string | undefined, rendered: Rendered | undefined): PickedContact | undefined {
  if (id === undefined) {
    return undefined;
  }
  const name = rendered?.variables.find((one) => one.name === 'contact.name')?.value;
  return { id, name: typeof name === 'string' && name !== '' ? name : id };
}
