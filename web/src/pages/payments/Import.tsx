/** Statements that are taken in: chosen, or dropped anywhere on the page; what became of each stands as a note. */
import { Button, CloseButton, FileButton, Group, Loader, Stack, Text } from '@mantine/core';
import { IconFileUpload } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { failureOf } from '../../api/problem';
import { useFormat } from '../../shared/format';
import { problemWords } from '../../shared/ProblemNote';
import { STATEMENT_BYTES_MAX, type Taken, takeStatement } from './api';
import classes from './Payments.module.css';

const ACCEPT = '.xml,.sta,.940,.mt940,.txt,.csv,.tsv,.c53,.c52,.c54';
/** Of these the server names what it met: its words stand beside ours. */
const NAMES_IT = new Set(['not_a_date', 'not_an_amount', 'missing', 'bad_line', 'other_xml', 'cut']);

type Note = { key: number; name: string; taken?: Taken; error?: unknown };
export type Statements = {
  notes: Note[];
  busy: boolean;
  take: (files: File[]) => void;
  close: (key: number) => void;
};

export function useStatements(): Statements {
  const queries = useQueryClient();
  const [notes, setNotes] = useState<Note[]>([]);
  const [busy, setBusy] = useState(false);
  const next = useRef(0);
  const line = useRef<Promise<void>>(Promise.resolve());
  const one = async (key: number, file: File) => {
    const tell = (more: Partial<Note>) =>
      setNotes((all) => all.map((note) => (note.key === key ? { ...note, ...more } : note)));
    try {
      if (file.size > STATEMENT_BYTES_MAX) {
        throw Object.assign(new Error('too_large'), { code: 'too_large' });
      }
      tell({ taken: await takeStatement(file) });
    } catch (error) {
      tell({ error });
    }
  };
  const take = (files: File[]) => {
    const fresh = files.map((file) => {
      next.current += 1;
      return { key: next.current, name: file.name, file };
    });
    setNotes((all) => [...fresh.map(({ key, name }) => ({ key, name })), ...all]);
    setBusy(true);
    // One after another: the server takes them so anyway.
    const own = line.current.then(async () => {
      for (const { key, file } of fresh) {
        await one(key, file);
      }
      for (const topic of ['documents', 'overview', 'approvals', 'tasks']) {
        queries.invalidateQueries({ queryKey: [topic] });
      }
    });
    line.current = own;
    own.finally(() => line.current === own && setBusy(false));
  };
  const close = (key: number) => setNotes((all) => all.filter((note) => note.key !== key));
  return { notes, busy, take, close };
}

export function StatementButton({ statements, primary }: { statements: Statements; primary: boolean }) {
  const { t } = useTranslation('payments');
  return (
    <FileButton multiple accept={ACCEPT} onChange={statements.take}>
      {(props) => (
        <Button
          {...props}
          variant={primary ? 'filled' : 'default'}
          loading={statements.busy}
          leftSection={<IconFileUpload size={16} aria-hidden />}
        >
          {t('import')}
        </Button>
      )}
    </FileButton>
  );
}

/** A file may be dropped wherever the pointer is. */
export function DropAnywhere({ take }: { take: (files: File[]) => void }) {
  const { t } = useTranslation('payments');
  const [isOver, setOver] = useState(false);
  const current = useRef(take);
  current.current = take;
  useEffect(() => {
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
    const over = (event: DragEvent) => {
      if (hasFiles(event)) {
        event.preventDefault();
        setOver(true);
      }
    };
    const leave = (event: DragEvent) => event.relatedTarget === null && setOver(false);
    const drop = (event: DragEvent) => {
      setOver(false);
      if (hasFiles(event)) {
        event.preventDefault();
        const files = [...(event.dataTransfer?.files ?? [])];
        if (files.length > 0) {
          current.current(files);
        }
      }
    };
    window.addEventListener('dragover', over);
    window.addEventListener('dragleave', leave);
    window.addEventListener('drop', drop);
    return () => {
      window.removeEventListener('dragover', over);
      window.removeEventListener('dragleave', leave);
      window.removeEventListener('drop', drop);
    };
  }, []);
  return isOver ? (
    <div className={classes.over}>
      <Text fw={600}>{t('drop')}</Text>
    </div>
  ) : null;
}

export function StatementNotes({ statements, show }: { statements: Statements; show: () => void }) {
  const { t } = useTranslation('payments');
  return statements.notes.length === 0 ? null : (
    <Stack gap="xs" role="status">
      {statements.notes.map((note) => (
        <div
          key={note.key}
          className={classes.note}
          data-failed={note.error !== undefined || undefined}
          data-running={(note.error === undefined && note.taken === undefined) || undefined}
        >
          <Group justify="space-between" wrap="nowrap" align="flex-start">
            <div style={{ minWidth: 0 }}>
              <Text size="sm" fw={600} lineClamp={1} className="breaks">
                {note.name}
              </Text>
              {note.taken !== undefined && <Result taken={note.taken} show={show} />}
              {note.error !== undefined && <Refusal error={note.error} />}
              {note.taken === undefined && note.error === undefined && (
                <Group gap="xs">
                  <Loader size={12} aria-hidden />
                  <Text size="sm" c="dimmed">
                    {t('reading')}
                  </Text>
                </Group>
              )}
            </div>
            <CloseButton size="sm" aria-label={t('shell:close')} onClick={() => statements.close(note.key)} />
          </Group>
        </div>
      ))}
    </Stack>
  );
}

function Result({ taken, show }: { taken: Taken; show: () => void }) {
  const { t } = useTranslation('payments');
  const format = useFormat();
  const paid = taken.matched + taken.part + taken.over + taken.joint;
  const span = [...new Set([format.day(taken.from), format.day(taken.to)])].filter(Boolean).join(' – ');
  const counted = [
    t('result.entries', { count: taken.entries }),
    ...(taken.known > 0 ? [t('result.known', { count: taken.known })] : []),
    t('result.paid', { count: paid }),
    ...(taken.unclear > 0 ? [t('result.unclear', { count: taken.unclear })] : []),
    ...(taken.reversed > 0 ? [t('result.reversed', { count: taken.reversed })] : []),
  ];
  const isUneven = taken.accounts.some((one) => one.balanced === false);
  return (
    <>
      <Text size="xs" c="dimmed" className="breaks">
        {[taken.format.toUpperCase(), taken.account, span].filter((text) => text !== '').join(' · ')}
      </Text>
      <Group gap="sm" mt={2}>
        <Text size="sm" className="numbers">
          {counted.join(' · ')}
        </Text>
        {taken.unclear > 0 && (
          <Button size="compact-xs" variant="light" onClick={show}>
            {t('result.look')}
          </Button>
        )}
      </Group>
      {isUneven && (
        <Text size="sm" c="orange">
          {t('result.uneven')}
        </Text>
      )}
    </>
  );
}

/** What is wrong with a file, where, and what to do. */
function Refusal({ error }: { error: unknown }) {
  const { t, i18n } = useTranslation('payments');
  const { problem } = failureOf(error);
  const isLarge = error instanceof Error && 'code' in error && error.code === 'too_large';
  const code = isLarge ? 'too_large' : problem.code;
  const line = typeof problem.line === 'number' && problem.line > 0 ? problem.line : undefined;
  const key = `refused.${code}`;
  const isKnown = i18n.exists(key, { ns: 'payments' });
  const words = problemWords(error);
  // The line stands before our words already.
  const named = isKnown ? (NAMES_IT.has(code) ? problem.detail : undefined) : (words.remedy ?? words.detail);
  const detail = named?.replace(/^line \d+: /, '');
  return (
    <>
      <Text size="sm" role="alert">
        {line === undefined ? '' : `${t('refused.line', { line })} `}
        {isKnown ? t(key) : words.title}
      </Text>
      {detail !== undefined && (
        <Text size="xs" c="dimmed" className="breaks">
          {detail}
        </Text>
      )}
    </>
  );
}
