import {
  Badge,
  Button,
  Group,
  Modal,
  SegmentedControl,
  Select,
  Skeleton,
  Stack,
  Table,
  Text,
  Textarea,
  TextInput,
  Title,
} from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../shared/format';
import { ProblemNote } from '../../shared/ProblemNote';
import { tellDone } from '../../shared/tell';
import { useMay } from '../../shell/useSession';
import { type ConsentLine, consentsQuery, preferencesQuery, tellConsent } from './api';
import classes from './Contact.module.css';
import { PreferencesCard } from './PreferencesCard';
import { CHANNELS, type Contact } from './people';
import { aboutWords } from './TimelineTab';

const COLORS: Record<string, string> = { granted: 'green', denied: 'red', pending: 'yellow' };

/** What somebody agreed to, with what proves it, and what they wish of our messages. */
export function ConsentsTab({ contact }: { contact: Contact }) {
  const { t } = useTranslation('contacts');
  const may = useMay();
  const [adding, setAdding] = useState(false);
  const query = useQuery(consentsQuery(contact.id));
  return (
    <div className={classes.two}>
      <section className={classes.card} aria-label={t('consents')}>
        <Group justify="space-between" mb="sm">
          <Title order={2}>{t('consents')}</Title>
          {may('contacts') && (
            <Button
              size="xs"
              variant="light"
              leftSection={<IconPlus size={14} aria-hidden />}
              onClick={() => setAdding(true)}
            >
              {t('consentAdd')}
            </Button>
          )}
        </Group>
        {query.isPending && <Skeleton height={140} />}
        {query.isError && <ProblemNote error={query.error} retry={() => query.refetch()} />}
        {query.data !== undefined && (
          <>
            <Lines lines={query.data.in_force} none={t('consentsNone')} label={t('consents')} />
            {query.data.items.length > 0 && (
              <>
                <Title order={3} mt="lg" mb="xs">
                  {t('consentsHistory')}
                </Title>
                <Lines lines={query.data.items} none="" label={t('consentsHistory')} />
              </>
            )}
          </>
        )}
      </section>
      <PreferencesCard id={contact.id} />
      {adding && <ConsentModal id={contact.id} close={() => setAdding(false)} />}
    </div>
  );
}

function Lines({ lines, none, label }: { lines: ConsentLine[]; none: string; label: string }) {
  const { t, i18n } = useTranslation('contacts');
  const format = useFormat();
  if (lines.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        {none}
      </Text>
    );
  }
  return (
    <Table verticalSpacing={6} horizontalSpacing={6} aria-label={label}>
      <Table.Tbody>
        {lines.map((line, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: answers have no name of their own
          <Table.Tr key={index}>
            <Table.Td className="breaks">{aboutWords(t, i18n.exists.bind(i18n), line.about)}</Table.Td>
            <Table.Td style={{ whiteSpace: 'nowrap' }}>
              <Badge
                variant="light"
                color={COLORS[line.answer] ?? 'gray'}
                size="sm"
                radius="sm"
                tt="none"
                miw="max-content"
              >
                {t(`answer.${line.answer}`)}
              </Badge>
            </Table.Td>
            <Table.Td>
              <Text size="xs" c="dimmed">
                {[
                  typeof line.at !== 'string' ? undefined : format.moment(line.at),
                  sourceWords(t, i18n.exists.bind(i18n), line.source),
                ]
                  .filter(Boolean)
                  .join(' · ')}
              </Text>
              {typeof line.proof === 'object' && line.proof !== null && (
                <Text size="xs" className="breaks" lineClamp={3} title={proofWords(line.proof).join('\n')}>
                  {proofWords(line.proof).join(' · ')}
                </Text>
              )}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

/** What proves an answer, part by part. */
function proofWords(proof: NonNullable<ConsentLine['proof']>): string[] {
  return Object.values(proof).filter((part) => typeof part === 'string');
}

function sourceWords(
  t: (key: string) => string,
  exists: (key: string, options: { ns: string }) => boolean,
  source: string | null | undefined,
): string | undefined {
  const key = `source.${source}`;
  return typeof source !== 'string' ? undefined : exists(key, { ns: 'contacts' }) ? t(key) : source;
}

/** Notes what somebody said, with what proves it: an answer without a proof is worth nothing later. */
function ConsentModal({ id, close }: { id: string; close: () => void }) {
  const { t } = useTranslation('contacts');
  const queries = useQueryClient();
  const known = useQuery(preferencesQuery(id));
  const [about, setAbout] = useState<string>('channel:email');
  const [consent, setConsent] = useState<'granted' | 'denied'>('granted');
  const [text, setText] = useState('');
  const [url, setUrl] = useState('');
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const topics = Object.keys(known.data?.preferences.topics ?? {});
  const save = async () => {
    setBusy(true);
    setError(undefined);
    const [sort, name = ''] = about.split(/:(.*)/s);
    const proof = {
      ...(text.trim() === '' ? {} : { text: text.trim() }),
      ...(url.trim() === '' ? {} : { url: url.trim() }),
    };
    try {
      await tellConsent(id, {
        consent,
        ...(sort === 'topic' ? { topic: name } : { channel: name }),
        source: 'person',
        proof,
      });
      await queries.invalidateQueries({ queryKey: ['contacts'] });
      tellDone(t('consentSaved'));
      close();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal
      closeButtonProps={{ 'aria-label': t('close') }}
      opened
      onClose={close}
      title={t('consentAdd')}
      centered
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <Stack>
          <Select
            data-autofocus
            label={t('consentAbout')}
            allowDeselect={false}
            data={[
              {
                group: t('channels'),
                items: CHANNELS.map((one) => ({ value: `channel:${one}`, label: t(`channel.${one}`) })),
              },
              ...(topics.length === 0
                ? []
                : [
                    {
                      group: t('topics'),
                      items: topics.map((one) => ({ value: `topic:${one}`, label: one })),
                    },
                  ]),
            ]}
            value={about}
            onChange={(value) => setAbout(value ?? about)}
          />
          <SegmentedControl
            aria-label={t('consentAnswer')}
            value={consent}
            onChange={(value) => setConsent(value === 'denied' ? 'denied' : 'granted')}
            data={[
              { value: 'granted', label: t('answer.granted') },
              { value: 'denied', label: t('answer.denied') },
            ]}
          />
          <Textarea
            label={t('proofText')}
            description={t('proofHint')}
            autosize
            minRows={2}
            required={consent === 'granted'}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
          <TextInput
            label={t('proofUrl')}
            value={url}
            onChange={(event) => setUrl(event.currentTarget.value)}
          />
          {error !== undefined && <ProblemNote error={error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {t('cancel')}
            </Button>
            <Button type="submit" loading={isBusy}>
              {t('save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
