import {
  Button,
  Collapse,
  FileButton,
  Group,
  Paper,
  Progress,
  Select,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconFileUpload } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../shared/format';
import { ProblemNote } from '../../shared/ProblemNote';
import type { Job } from './api';
import classes from './DropFile.module.css';
import { type Told, UPLOAD_BYTES_MAX, upload } from './upload';

const ENCODINGS = [
  'utf-8',
  'windows-1251',
  'koi8-r',
  'shift_jis',
  'euc-jp',
  'windows-1252',
  'utf-16le',
  'utf-16be',
];
const DELIMITERS = ['comma', 'semicolon', 'tab', 'pipe'] as const;

type Sending = { name: string; share: number };

/** Where a file is put: dropped, or chosen by keyboard. */
export function DropFile({ onTaken }: { onTaken: (job: Job) => void }) {
  const { t } = useTranslation('imports');
  const format = useFormat();
  const [isOver, setOver] = useState(false);
  const [sending, setSending] = useState<Sending>();
  const [error, setError] = useState<unknown>();
  const [more, { toggle }] = useDisclosure(false);
  const [told, setTold] = useState<Told>({});
  const stop = useRef<AbortController>(undefined);
  useEffect(() => () => stop.current?.abort(), []);

  const take = async (file: File | null | undefined) => {
    if (file === null || file === undefined || sending !== undefined) {
      return;
    }
    setError(undefined);
    if (file.size > UPLOAD_BYTES_MAX) {
      setError(new Error(t('drop.large')));
      return;
    }
    const control = new AbortController();
    stop.current = control;
    setSending({ name: file.name, share: 0 });
    try {
      const known = Object.fromEntries(Object.entries(told).filter(([, value]) => value !== ''));
      const job = await upload(
        file,
        known,
        (share) => setSending({ name: file.name, share }),
        control.signal,
      );
      onTaken(job);
    } catch (failure) {
      if (!control.signal.aborted) {
        setError(failure);
      }
    } finally {
      setSending(undefined);
    }
  };
  return (
    <Stack gap="xs">
      <Paper
        className={classes.place}
        data-over={isOver || undefined}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          take(event.dataTransfer.files[0]);
        }}
      >
        {sending === undefined ? (
          <Stack align="center" gap={6}>
            <IconFileUpload size={30} stroke={1.4} aria-hidden />
            <Text fw={600} ta="center">
              {t('drop.title')}
            </Text>
            <Text size="sm" c="dimmed" ta="center" maw={520}>
              {t('drop.text')}
            </Text>
            <Group gap="xs" mt={4} justify="center">
              <FileButton accept=".csv,.tsv,.txt,.xlsx" onChange={take}>
                {(props) => <Button {...props}>{t('drop.choose')}</Button>}
              </FileButton>
              <Button variant="subtle" color="gray" onClick={toggle} aria-expanded={more}>
                {t('drop.more')}
              </Button>
            </Group>
          </Stack>
        ) : (
          <Stack gap="xs" align="center" role="status">
            <Text size="sm" className="breaks" lineClamp={1}>
              {t('drop.sending', { name: sending.name.slice(0, 120), share: format.share(sending.share) })}
            </Text>
            <Progress
              value={sending.share * 100}
              w="min(420px, 100%)"
              animated={sending.share >= 1}
              aria-label={t('drop.progress')}
            />
            <Text size="xs" c="dimmed">
              {sending.share >= 1 ? t('drop.looking') : ''}
            </Text>
            <Button size="compact-sm" variant="default" onClick={() => stop.current?.abort()}>
              {t('shell:cancel')}
            </Button>
          </Stack>
        )}
      </Paper>
      <Collapse expanded={more}>
        <Group gap="sm" align="flex-end">
          <Select
            size="xs"
            clearable
            label={t('told.encoding')}
            placeholder={t('told.guess')}
            data={ENCODINGS}
            value={told.encoding ?? null}
            onChange={(encoding) => setTold((before) => ({ ...before, encoding: encoding ?? '' }))}
          />
          <Select
            size="xs"
            clearable
            label={t('told.delimiter')}
            placeholder={t('told.guess')}
            data={DELIMITERS.map((one) => ({ value: one, label: t(`delimiter.${one}`) }))}
            value={told.delimiter ?? null}
            onChange={(delimiter) => setTold((before) => ({ ...before, delimiter: delimiter ?? '' }))}
          />
          <Select
            size="xs"
            clearable
            label={t('told.header')}
            placeholder={t('told.guess')}
            data={[
              { value: 'true', label: t('told.yes') },
              { value: 'false', label: t('told.no') },
            ]}
            value={told.header ?? null}
            onChange={(header) => setTold((before) => ({ ...before, header: header ?? '' }))}
          />
          <TextInput
            size="xs"
            label={t('told.sheet')}
            placeholder={t('told.firstSheet')}
            value={told.sheet ?? ''}
            onChange={(event) => {
              const sheet = event.currentTarget.value;
              setTold((before) => ({ ...before, sheet }));
            }}
          />
        </Group>
      </Collapse>
      {error !== undefined && <ProblemNote error={error} />}
    </Stack>
  );
}
