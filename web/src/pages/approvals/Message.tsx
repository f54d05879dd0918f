import {
  ActionIcon,
  Alert,
  Anchor,
  Badge,
  Box,
  Button,
  Group,
  SegmentedControl,
  Skeleton,
  Stack,
  Text,
  Textarea,
  TextInput,
  Title,
} from '@mantine/core';
import { IconArrowLeft, IconCheck, IconPencil, IconPhone, IconPlayerSkipForward } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { failureOf } from '../../api/problem';
import { Empty } from '../../shared/DataList';
import { useFormat } from '../../shared/format';
import { MailFrame } from '../../shared/MailFrame';
import { ProblemNote } from '../../shared/ProblemNote';
import { useNow } from '../../shared/useNow';
import { nameOf } from '../contacts/people';
import classes from './Approvals.module.css';
import { type Asked, aboutOf, joined, loadQuestion, parted } from './api';
import { draftOf, keepDraft } from './drafts';
import { Earlier } from './Earlier';
import type { Word } from './outbox';
import { DueBadge, useLabel } from './QuestionList';

type Props = {
  id: string;
  mayAnswer: boolean;
  editing: boolean;
  setEditing: (on: boolean) => void;
  answer: (word: Word) => void;
  /** On a phone the message is a view of its own. */
  back: (() => void) | undefined;
};

/** A message as it would go, with what can be answered. */
export function Message({ id, mayAnswer, editing, setEditing, answer, back }: Props) {
  const { t } = useTranslation('approvals');
  const query = useQuery({
    queryKey: ['approvals', 'one', id],
    queryFn: ({ signal }) => loadQuestion(id, signal),
  });
  if (query.data !== undefined) {
    return (
      <Whole
        key={id}
        asked={query.data}
        mayAnswer={mayAnswer}
        editing={editing}
        setEditing={setEditing}
        answer={answer}
        back={back}
      />
    );
  }
  return (
    <section className={classes.message} aria-label={t('message')} aria-busy={query.isPending}>
      <div className={classes.body}>
        {back !== undefined && <Back back={back} />}
        {query.isError && failureOf(query.error).status === 404 ? (
          <Empty title={t('gone.title')} text={t('gone.text')} />
        ) : query.isError ? (
          <ProblemNote error={query.error} retry={() => query.refetch()} />
        ) : (
          <Stack gap="sm" aria-hidden>
            <Skeleton height={26} width="55%" />
            <Skeleton height={16} width="70%" />
            <Skeleton height={16} width="62%" />
            <Skeleton height={220} mt="md" />
          </Stack>
        )}
      </div>
    </section>
  );
}

function Back({ back }: { back: () => void }) {
  const { t } = useTranslation('approvals');
  return (
    <ActionIcon variant="subtle" color="gray" aria-label={t('back')} onClick={back} mb="xs">
      <IconArrowLeft size={18} aria-hidden />
    </ActionIcon>
  );
}

function Whole({
  asked,
  mayAnswer,
  editing,
  setEditing,
  answer,
  back,
}: Omit<Props, 'id'> & { asked: Asked }) {
  const { t } = useTranslation('approvals');
  const format = useFormat();
  const now = useNow();
  const [draft, setDraft] = useState(() => draftOf(asked.id));
  const label = useLabel(asked);
  const about = aboutOf(asked);
  const change = (text: string | undefined) => {
    const kept = text === asked.editable ? undefined : text;
    setDraft(kept);
    keepDraft(asked.id, kept);
  };
  const { preview } = asked;
  const words = draft === undefined ? { subject: preview.subject, text: preview.text } : parted(draft);
  const byMail = asked.channel === 'email';
  return (
    <section className={classes.message} aria-label={t('message')}>
      <div className={classes.body}>
        {back !== undefined && <Back back={back} />}
        <Group justify="space-between" align="flex-start" wrap="nowrap" gap="sm">
          <Box style={{ minWidth: 0 }}>
            <Title order={2} className="breaks" lineClamp={2}>
              {about.document === undefined ? (
                label
              ) : (
                <Anchor
                  inherit
                  c="inherit"
                  renderRoot={(props) => (
                    <Link
                      {...props}
                      to="/documents/$contact/$document"
                      params={{ contact: asked.contact, document: about.document ?? '' }}
                    />
                  )}
                >
                  {label}
                </Anchor>
              )}
            </Title>
            <Group gap="xs" mt={2}>
              <Text size="sm" className="numbers">
                {format.amount(about.amount, about.currency)}
              </Text>
              <DueBadge due={about.due} kind={about.kind} />
            </Group>
          </Box>
          <Group gap={6} wrap="nowrap" style={{ flex: 'none' }}>
            {draft !== undefined && !editing && (
              <Badge variant="light" color="yellow" tt="none">
                {t('edited')}
              </Badge>
            )}
            {mayAnswer && (
              <Button
                size="xs"
                variant={editing ? 'light' : 'subtle'}
                leftSection={<IconPencil size={14} aria-hidden />}
                aria-pressed={editing}
                onClick={() => setEditing(!editing)}
              >
                {editing ? t('editDone') : t('edit')}
                <kbd className={classes.key}>{editing ? 'Esc' : 'E'}</kbd>
              </Button>
            )}
          </Group>
        </Group>
        <dl className={classes.facts} style={{ marginTop: 14 }}>
          <dt>{t('to')}</dt>
          <dd>
            <Anchor
              size="sm"
              renderRoot={(props) => <Link {...props} to="/contacts/$id" params={{ id: asked.contact }} />}
            >
              {nameOf(asked.to)}
            </Anchor>{' '}
            <Text span size="sm" c="dimmed">
              {preview.to.join(', ')}
            </Text>
          </dd>
          <dt>{t('from')}</dt>
          <dd>
            {preview.from_name ?? preview.from ?? t(`channel.${asked.channel}`)}{' '}
            {preview.from_name !== null && preview.from !== null && (
              <Text span size="sm" c="dimmed">
                {preview.from}
              </Text>
            )}
          </dd>
          <dt>{t('journey')}</dt>
          <dd>
            <Anchor
              size="sm"
              renderRoot={(props) => <Link {...props} to="/journeys/$id" params={{ id: asked.journey }} />}
            >
              {asked.journey_name ?? asked.journey}
            </Anchor>
          </dd>
          <dt>{t('otherwise')}</dt>
          <dd>
            {t(`lapse.${asked.lapse}`, {
              when: format.relative(asked.expires_at, now),
              at: format.moment(asked.expires_at),
            })}
            {asked.deputy !== null && asked.deputy_at !== null && (
              <Text size="sm" c="dimmed">
                {t('deputy', { who: whoOf(t, asked.deputy), at: format.moment(asked.deputy_at) })}
              </Text>
            )}
          </dd>
        </dl>
        {preview.problems.length > 0 && (
          <Alert color="orange" variant="light" mt="md" title={t('problems')}>
            {preview.problems.map((one) => (
              <Text key={one} size="sm" className="breaks">
                {one}
              </Text>
            ))}
          </Alert>
        )}
        <Box mt="lg">
          {editing ? (
            <Editor
              words={words}
              byMail={byMail}
              html={preview.html !== null}
              change={(subject, text) => change(joined(subject, text))}
              reset={draft === undefined ? undefined : () => change(undefined)}
              done={() => setEditing(false)}
              approve={() => answer('approve')}
            />
          ) : (
            <Letter
              subject={byMail ? words.subject : ''}
              text={words.text}
              html={draft === undefined ? preview.html : null}
            />
          )}
        </Box>
        {about.document !== undefined && (
          <Earlier contact={asked.contact} document={about.document} except={asked.id} />
        )}
      </div>
      {mayAnswer && (
        <div className={classes.actions}>
          <Button px={12} leftSection={<IconCheck size={16} aria-hidden />} onClick={() => answer('approve')}>
            {t('approve')}
            <kbd className={classes.key}>{editing ? 'Ctrl Enter' : 'A'}</kbd>
          </Button>
          <Button
            px={12}
            variant="default"
            leftSection={<IconPlayerSkipForward size={16} aria-hidden />}
            onClick={() => answer('skip')}
          >
            {t('skip')}
            {!editing && <kbd className={classes.key}>S</kbd>}
          </Button>
          <Button
            px={12}
            variant="default"
            leftSection={<IconPhone size={16} aria-hidden />}
            onClick={() => answer('call')}
          >
            {t('call')}
            {!editing && <kbd className={classes.key}>C</kbd>}
          </Button>
        </div>
      )}
    </section>
  );
}

function whoOf(t: (key: string, values?: Record<string, string>) => string, who: string): string {
  return who.startsWith('role:') ? t('role', { role: who.slice(5) }) : t('owner');
}

function Letter({ subject, text, html }: { subject: string; text: string; html: string | null }) {
  const { t } = useTranslation('approvals');
  const [form, setForm] = useState('html');
  return (
    <Stack gap="sm">
      {subject !== '' && (
        <Text fw={600} className="breaks">
          {subject}
        </Text>
      )}
      {html !== null && (
        <SegmentedControl
          size="xs"
          style={{ alignSelf: 'flex-start' }}
          aria-label={t('form')}
          value={form}
          onChange={setForm}
          data={[
            { value: 'html', label: t('asHtml') },
            { value: 'text', label: t('asText') },
          ]}
        />
      )}
      {html !== null && form === 'html' ? (
        <MailFrame html={html} title={t('message')} />
      ) : (
        <Text component="div" size="sm" className={classes.letter}>
          {text.trimEnd()}
        </Text>
      )}
    </Stack>
  );
}

type EditorProps = {
  words: { subject: string; text: string };
  byMail: boolean;
  html: boolean;
  change: (subject: string, text: string) => void;
  reset: (() => void) | undefined;
  done: () => void;
  approve: () => void;
};

function Editor({ words, byMail, html, change, reset, done, approve }: EditorProps) {
  const { t } = useTranslation('approvals');
  const text = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    text.current?.focus();
    text.current?.setSelectionRange(0, 0);
  }, []);
  return (
    <Stack
      gap="sm"
      onKeyDown={(event) => {
        if (event.key === 'Escape') {
          event.preventDefault();
          done();
        } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
          event.preventDefault();
          approve();
        }
      }}
    >
      {byMail && (
        <TextInput
          label={t('subject')}
          value={words.subject}
          onChange={(event) => change(event.currentTarget.value, words.text)}
        />
      )}
      <Textarea
        ref={text}
        label={t('text')}
        description={html ? t('plainOnly') : undefined}
        autosize
        minRows={8}
        maxRows={24}
        value={words.text}
        onChange={(event) => change(words.subject, event.currentTarget.value)}
      />
      <Group justify="space-between">
        <Text size="xs" c="dimmed">
          {t('editKept')}
        </Text>
        {reset !== undefined && (
          <Button size="compact-xs" variant="subtle" color="gray" onClick={reset}>
            {t('editReset')}
          </Button>
        )}
      </Group>
    </Stack>
  );
}
