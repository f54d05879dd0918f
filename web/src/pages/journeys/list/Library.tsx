import { Alert, Badge, Button, Checkbox, Group, Modal, Radio, Skeleton, Stack, Text } from '@mantine/core';
import {
  IconBook2,
  IconFileInvoice,
  IconHandStop,
  IconHeartHandshake,
  IconPackage,
  IconRoute,
  IconTool,
  IconUserPlus,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { failureOf } from '../../../api/problem';
import { queries } from '../../../api/queries';
import { ProblemNote } from '../../../shared/ProblemNote';
import { tellDone, tellLook } from '../../../shared/tell';
import { addFromLibrary, type LibraryItem, library } from '../calls';
import classes from './NewJourney.module.css';

const ICONS: Record<string, typeof IconRoute> = {
  'offer-no-reply': IconHandStop,
  'invoice-unpaid': IconFileInvoice,
  'shipped-how-is-it': IconPackage,
  'maintenance-due': IconTool,
  'win-back': IconHeartHandshake,
  'catalogue-requested': IconBook2,
  welcome: IconUserPlus,
};
/** Each in its own words, as in a choice of languages. */
const LANGUAGES: Record<string, string> = { en: 'English', ru: 'Русский', ja: '日本語' };
/** What pages have words for. */
const NEEDS = ['mailbox', 'owner', 'head', 'orders', 'equipment', 'sign_ups', 'form', 'file'] as const;

/** Ready-made journeys with their letters: what is chosen comes as drafts, to be read and published. */
export function Library({ close, own }: { close: () => void; own: () => void }) {
  const { t, i18n } = useTranslation('journeys');
  const navigate = useNavigate();
  const language = i18n.language.slice(0, 2);
  const items = useQuery({ queryKey: ['journeys', 'library'], queryFn: ({ signal }) => library(signal) });
  const [chosen, setChosen] = useState<string>();
  const [wanted, setWanted] = useState<string[]>();
  const languages = wanted ?? [language in LANGUAGES ? language : 'en'];
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const all = items.data?.items ?? [];
  const item = all.find((one) => one.id === chosen) ?? all.find((one) => one.state === 'not_used') ?? all[0];
  const taken = error === undefined ? undefined : takenOf(error);

  const open = (id: string) => navigate({ to: '/journeys/$id', params: { id } });
  const add = async (keep: boolean) => {
    if (item === undefined) {
      return;
    }
    setIsBusy(true);
    setError(undefined);
    try {
      // People read tasks in their own language when it is among those of the letters.
      const sorted = [...languages].sort((a, b) => Number(b === language) - Number(a === language));
      const added = await addFromLibrary(item.id, sorted, keep);
      await Promise.all([
        queries.invalidateQueries({ queryKey: ['journeys'] }),
        queries.invalidateQueries({ queryKey: ['templates'] }),
      ]);
      tellDone(t('library.added', { count: added.templates.length }));
      if (added.journeys.length > 1) {
        tellLook(t('library.several', { what: item.journeys.join(t('say.comma')) }));
      }
      await open(item.journeys.find((one) => added.journeys.includes(one)) ?? item.journeys[0] ?? item.id);
    } catch (failure) {
      setError(failure);
    } finally {
      setIsBusy(false);
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (item?.state === 'not_used') {
      add(false);
    } else if (item?.journeys[0] !== undefined) {
      open(item.journeys[0]);
    }
  };
  const pick = (id: string) => {
    setChosen(id);
    setError(undefined);
  };
  return (
    <Modal opened onClose={close} title={t('library.title')} size="xl">
      <form onSubmit={submit}>
        <Stack>
          <Text size="sm" c="dimmed">
            {t('library.lead')}
          </Text>
          {items.isPending && <Skeleton height={320} />}
          {items.error !== null && <ProblemNote error={items.error} retry={() => items.refetch()} />}
          {item !== undefined && (
            <>
              <Radio.Group value={item.id} onChange={pick} aria-label={t('library.title')}>
                <div className={classes.starts}>
                  {all.map((one) => (
                    <Card key={one.id} item={one} language={language} />
                  ))}
                </div>
              </Radio.Group>
              {item.state === 'not_used' && (
                <Checkbox.Group
                  label={t('library.languages')}
                  description={t('library.languagesHint')}
                  value={languages}
                  onChange={setWanted}
                >
                  <Group mt="xs">
                    {item.languages.map((one) => (
                      <Checkbox key={one} value={one} label={LANGUAGES[one] ?? one} lang={one} />
                    ))}
                  </Group>
                </Checkbox.Group>
              )}
            </>
          )}
          {taken !== undefined && (
            <Alert color="yellow" title={t('library.taken')} role="alert">
              <Stack gap="xs" align="flex-start">
                <Text size="sm" className="breaks">
                  {taken.join(', ')}
                </Text>
                <Button size="xs" variant="default" onClick={() => add(true)} loading={isBusy}>
                  {t('library.keep')}
                </Button>
              </Stack>
            </Alert>
          )}
          {error !== undefined && taken === undefined && <ProblemNote error={error} />}
          <Group justify="space-between">
            <Button variant="subtle" onClick={own}>
              {t('library.own')}
            </Button>
            <Group>
              <Button variant="default" onClick={close}>
                {t('shell:cancel')}
              </Button>
              <Button
                type="submit"
                loading={isBusy}
                disabled={item === undefined || (item.state === 'not_used' && languages.length === 0)}
              >
                {t(item === undefined || item.state === 'not_used' ? 'library.add' : 'library.open')}
              </Button>
            </Group>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function Card({ item, language }: { item: LibraryItem; language: string }) {
  const { t } = useTranslation('journeys');
  const Icon = ICONS[item.id] ?? IconRoute;
  const name = item.name[language] ?? item.name.en ?? item.id;
  const needs = NEEDS.filter((need) => item.needs.includes(need));
  return (
    <Radio.Card value={item.id} className={classes.start} aria-label={name}>
      <Group gap="sm" wrap="nowrap" align="flex-start">
        <Icon size={20} stroke={1.6} aria-hidden style={{ flex: 'none', marginTop: 2 }} />
        <Stack gap={4} style={{ minWidth: 0 }}>
          <Group gap={6}>
            <Text size="sm" fw={600}>
              {name}
            </Text>
            {item.state !== 'not_used' && (
              <Badge size="xs" variant="light" color={item.state === 'used' ? 'green' : 'blue'}>
                {t(`library.state.${item.state}`)}
              </Badge>
            )}
          </Group>
          <Text size="xs" c="dimmed">
            {item.description[language] ?? item.description.en}
          </Text>
          {needs.length > 0 && (
            <Text size="xs">
              {t('library.needs', {
                what: needs.map((need) => t(`library.need.${need}`)).join(t('say.comma')),
              })}
            </Text>
          )}
        </Stack>
      </Group>
    </Radio.Card>
  );
}

/** What is there already, where that is why nothing was added. */
function takenOf(error: unknown): string[] | undefined {
  const { status, problem } = failureOf(error);
  if (status !== 409 || problem.code !== 'exists') {
    return undefined;
  }
  const names = [problem.journeys, problem.templates].flatMap((all) => (Array.isArray(all) ? all : []));
  return names.filter((one): one is string => typeof one === 'string');
}
