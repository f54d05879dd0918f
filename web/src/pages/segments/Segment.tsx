import { Badge, Button, Group, Menu, Progress, Skeleton, Stack, Tabs, Text } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure, failureOf } from '../../api/problem';
import { ConfirmDialog } from '../../shared/editing/ConfirmDialog';
import {
  ConflictDialog,
  Restored,
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
import { useMay, useSession } from '../../shell/useSession';
import { allSegments, type SegmentShown, segments } from './api';
import { Definition } from './Definition';
import { Members } from './Members';
import { SaveSegment } from './SaveSegment';
import { STARTS, startText } from './starts';

const NONE: never[] = [];

export function Segment() {
  const { t } = useTranslation('segments');
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const [search] = useAddress();
  const start =
    STARTS.find((one) => one === textOf(search.start)) ?? (id === 'new' ? 'condition' : undefined);
  const query = useQuery({
    queryKey: ['segments', id, 'shown'],
    queryFn: ({ signal }) => segments.show(id, signal),
  });
  const isMissing = query.isError && failureOf(query.error).status === 404;
  if (query.data !== undefined) {
    return <Opened key={id} id={id} segment={query.data} />;
  }
  if (isMissing && start !== undefined) {
    const text = startText(start, id, textOf(search.name) ?? '');
    return <Opened key={id} id={id} segment={undefined} fresh={text} />;
  }
  return (
    <Page title={id}>
      {query.isError ? (
        <ProblemNote error={query.error} retry={() => query.refetch()} />
      ) : (
        <Stack gap="sm" aria-hidden>
          <Skeleton height={36} width={260} />
          <Skeleton height={320} />
        </Stack>
      )}
      <Text size="xs" c="dimmed" hidden>
        {t('loading')}
      </Text>
    </Page>
  );
}

type OpenedProps = { id: string; segment: SegmentShown | undefined; fresh?: string };

function Opened({ id, segment, fresh }: OpenedProps) {
  const { t } = useTranslation('segments');
  const may = useMay()('segments');
  // Members are told to whoever sees every contact.
  const seesAll = useSession()?.sees_everyone !== false;
  const [search, change] = useAddress();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [saving, setSaving] = useState(false);
  const [conflict, setConflict] = useState(false);
  const [removing, setRemoving] = useState(false);
  const saved = segment === undefined ? fresh : (segment.text ?? undefined);
  const isNew = segment === undefined;
  const draft = useDraft<string>(`segment:${id}`, saved, isNew ? 'new' : (segment.revision ?? 'new'));
  useKeepWhenClosed(draft.isChanged);
  const all = useQuery({ queryKey: ['segments', 'all'], queryFn: ({ signal }) => allSegments(signal) });
  const isList = segment === undefined ? /^listed: true$/m.test(draft.value ?? '') : segment.kind === 'list';
  const tab = textOf(search.tab) ?? (isList && !isNew && seesAll ? 'members' : 'definition');
  const save = useMutation({
    mutationFn: async (confirm: number | undefined) => {
      if (isNew) {
        // Somebody may have made one of this name meanwhile.
        const other = await segments.show(id, new AbortController().signal).catch(() => undefined);
        if (other !== undefined) {
          throw new Failure(412, { code: 'stale' });
        }
      }
      const base = draft.base === 'new' ? undefined : draft.base;
      return segments.put(id, draft.value ?? '', confirm, base);
    },
    onSuccess: async () => {
      setSaving(false);
      await queries.invalidateQueries({ queryKey: ['segments'] });
      draft.discard();
      change({ start: undefined, name: undefined });
      tellDone(t('saved'));
    },
    onError: async (error) => {
      if (failureOf(error).status !== 412) {
        tellFailure(error);
        return;
      }
      // Nobody else's text is overwritten unseen, and nothing that was written here is lost.
      setSaving(false);
      await queries.refetchQueries({ queryKey: ['segments', id, 'shown'] });
      setConflict(true);
    },
  });
  const remove = useMutation({
    mutationFn: () => segments.remove(id),
    onSuccess: async () => {
      setRemoving(false);
      navigate({ to: '/segments' });
      await queries.invalidateQueries({ queryKey: ['segments'] });
      tellDone(t('removed', { id }));
    },
    onError: (error) => {
      setRemoving(false);
      tellFailure(error);
    },
  });
  const text = draft.value ?? '';
  const hasText = saved !== undefined || draft.isChanged;
  const title = useMemo(() => {
    // The name in a text of grades is that of all of them.
    const written = /^format:\s*grades/m.test(text)
      ? undefined
      : /^name:\s*["']?(.+?)["']?\s*$/m.exec(text)?.[1];
    return written ?? segment?.name ?? id;
  }, [text, segment, id]);
  return (
    <Page
      title={title}
      lead={<Lead id={id} segment={segment} />}
      actions={
        may && (
          <>
            {hasText && <SaveState isChanged={draft.isChanged} isNew={isNew} />}
            {hasText && (
              <Button disabled={!draft.isChanged && !isNew} onClick={() => setSaving(true)}>
                {t('shell:save')}
              </Button>
            )}
            {!isNew && (
              <Menu position="bottom-end">
                <Menu.Target>
                  <Button variant="default" px="xs" aria-label={t('more')}>
                    <IconDots size={16} />
                  </Button>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item disabled={!draft.isChanged} onClick={draft.discard}>
                    {t('discard')}
                  </Menu.Item>
                  <Menu.Item color="red" onClick={() => setRemoving(true)}>
                    {t('shell:delete')}
                  </Menu.Item>
                </Menu.Dropdown>
              </Menu>
            )}
          </>
        )
      }
    >
      <Restored at={draft.restoredAt} onDiscard={draft.discard} />
      <Stale isStale={draft.isStale} onCompare={() => setConflict(true)} />
      <Tabs
        value={tab}
        onChange={(next) => change({ tab: next === null ? undefined : next }, { push: true })}
        keepMounted={false}
      >
        <Tabs.List mb="md">
          <Tabs.Tab value="definition" disabled={!hasText}>
            {t('tab.definition')}
          </Tabs.Tab>
          <Tabs.Tab value="members" disabled={isNew || !seesAll}>
            {t('tab.members')}
          </Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="definition">
          {hasText && (
            <Definition
              id={id}
              text={text}
              onChange={may ? draft.set : undefined}
              segment={segment}
              segments={all.data ?? NONE}
            />
          )}
        </Tabs.Panel>
        <Tabs.Panel value="members">
          {!isNew && seesAll && <Members id={id} isList={isList} mayChange={may} />}
        </Tabs.Panel>
      </Tabs>
      <SaveSegment
        id={id}
        opened={saving}
        onClose={() => setSaving(false)}
        before={isNew ? '' : (saved ?? '')}
        text={text}
        isSaving={save.isPending}
        onSave={(confirm) => save.mutate(confirm)}
      />
      <ConflictDialog
        opened={conflict}
        onClose={() => setConflict(false)}
        changes={[{ name: `segments/${id}.yaml`, before: saved ?? '', after: text }]}
        onMine={() => {
          draft.rebase();
          setConflict(false);
          setSaving(true);
        }}
        onTheirs={() => {
          draft.discard();
          setConflict(false);
        }}
      />
      <ConfirmDialog
        opened={removing}
        onClose={() => setRemoving(false)}
        title={t('remove.title', { id })}
        text={t('remove.text', { count: segment?.members ?? 0 })}
        confirm={t('shell:delete')}
        isBusy={remove.isPending}
        onConfirm={() => remove.mutate()}
      />
    </Page>
  );
}

function Lead({ id, segment }: { id: string; segment: SegmentShown | undefined }) {
  const { t } = useTranslation('segments');
  const format = useFormat();
  if (segment === undefined) {
    return t('new.lead');
  }
  const { journeys, segments: others } = segment.used_by;
  const users = [...journeys, ...others];
  return (
    <Group gap="xs">
      <Text span size="sm" className="breaks">
        {id}
      </Text>
      <Text span size="sm" className="numbers">
        {t('membersCount', { count: segment.members, number: format.number(segment.members) })}
      </Text>
      {segment.state === 'building' && segment.progress !== undefined && (
        <Group gap={6}>
          <Badge variant="light" tt="none">
            {t('state.building', { share: format.share(segment.progress.share) })}
          </Badge>
          <Progress
            value={segment.progress.share * 100}
            w={90}
            size="sm"
            aria-label={t('state.building', { share: format.share(segment.progress.share) })}
          />
        </Group>
      )}
      {users.length > 0 && (
        <Text span size="sm" className="breaks" lineClamp={1}>
          {t('usedBy', { users: users.join(', ') })}
        </Text>
      )}
    </Group>
  );
}
