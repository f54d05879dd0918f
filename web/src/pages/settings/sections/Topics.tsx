import { ActionIcon, Button, Group, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconPlus, IconTrash } from '@tabler/icons-react';
import { type KeyboardEvent, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { isLanguage, LANGUAGE_NAMES, language } from '../../../words';
import { EditSection, type FormProps } from '../edit/EditSection';
import classes from './sections.module.css';
import {
  checkTopics,
  inWords,
  languagesOf,
  moved,
  readTopics,
  type Topic,
  type TopicsForm,
  writeTopics,
} from './topics';

/** Topics of one workspace: more than a page of choices helps nobody. */
const TOPICS_MAX = 50;

/** What contacts choose among. */
export function Topics() {
  const { t } = useTranslation('settings');
  return (
    <EditSection<TopicsForm>
      section="topics"
      title={t('topics.title')}
      text={t('topics.text')}
      shape={{ read: readTopics, write: writeTopics, check: (form) => checkTopics(form, t) }}
      read={(form) => <Read form={form} />}
      edit={(props) => <Edit {...props} />}
      fields={Array.from({ length: TOPICS_MAX }, (_, place) => String(place))}
    />
  );
}

function Read({ form }: { form: TopicsForm }) {
  const { t } = useTranslation('settings');
  if (form.list.length === 0) {
    return <Text size="sm">{t('topics.none')}</Text>;
  }
  return (
    <ul className={classes.entries}>
      {form.list.map((topic) => (
        <li key={topic.id} className={classes.entry} style={{ paddingBlock: 8 }}>
          <Group gap="xs" justify="space-between">
            <Stack gap={0} style={{ minWidth: 0, flex: '1 1 200px' }}>
              <Text size="sm" fw={600} className="breaks">
                {inWords(topic.name, language()) || topic.id}
              </Text>
              {inWords(topic.description, language()) !== '' && (
                <Text size="xs" c="dimmed" className="breaks">
                  {inWords(topic.description, language())}
                </Text>
              )}
            </Stack>
            <Text size="xs" c="dimmed" className="breaks">
              {[topic.id, ...Object.keys(topic.name)].join(' · ')}
            </Text>
          </Group>
        </li>
      ))}
    </ul>
  );
}

function Edit({ form, set, wrong }: FormProps<TopicsForm>) {
  const { t } = useTranslation('settings');
  const { list } = form;
  const frame = useRef<HTMLUListElement>(null);
  const languages = languagesOf(form);
  const add = () => {
    const key = Math.max(-1, ...list.map((one) => one.key)) + 1;
    set({ list: [...list, { key, id: '', isNew: true, name: {}, description: {} }] });
    requestAnimationFrame(() =>
      frame.current?.querySelector<HTMLElement>(`[data-topic="${key}"] input`)?.focus(),
    );
  };
  const move = (place: number, by: -1 | 1) => {
    if (list[place + by] !== undefined) {
      set({ list: moved(list, place, by) });
    }
  };
  return (
    <Stack gap="md">
      <ul className={classes.entries} ref={frame}>
        {list.map((topic, place) => (
          <Row
            key={topic.key}
            topic={topic}
            languages={languages}
            isFirst={place === 0}
            isLast={place === list.length - 1}
            set={(patch) => set({ list: list.map((one, at) => (at === place ? { ...one, ...patch } : one)) })}
            move={(by) => move(place, by)}
            remove={() => set({ list: list.filter((_, at) => at !== place) })}
            wrong={(field) => wrong(`${place}.${field}`)}
          />
        ))}
      </ul>
      {list.length === 0 && (
        <Text size="sm" c="dimmed">
          {t('topics.none')}
        </Text>
      )}
      {list.length < TOPICS_MAX && (
        <Group>
          <Button
            variant="subtle"
            size="compact-sm"
            leftSection={<IconPlus size={14} aria-hidden />}
            onClick={add}
          >
            {t('topics.add')}
          </Button>
        </Group>
      )}
    </Stack>
  );
}

type RowProps = {
  topic: Topic;
  languages: string[];
  isFirst: boolean;
  isLast: boolean;
  set: (patch: Partial<Topic>) => void;
  move: (by: -1 | 1) => void;
  remove: () => void;
  wrong: (field: string) => string | undefined;
};

function Row({ topic, languages, isFirst, isLast, set, move, remove, wrong }: RowProps) {
  const { t } = useTranslation('settings');
  const [isLong, setLong] = useState(Object.values(topic.description).some((one) => one !== ''));
  const name = inWords(topic.name, language()) || topic.id || t('topics.new');
  const press = (event: KeyboardEvent) => {
    if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
      event.preventDefault();
      move(event.key === 'ArrowUp' ? -1 : 1);
    }
  };
  const languageName = (one: string) => (isLanguage(one) ? LANGUAGE_NAMES[one] : one);
  return (
    <li className={classes.entry} data-topic={topic.key} onKeyDown={press}>
      <Stack gap="xs">
        <Group justify="space-between" gap="xs" wrap="nowrap">
          {topic.isNew ? (
            <TextInput
              size="xs"
              w={220}
              aria-label={t('topics.id')}
              placeholder={t('topics.id')}
              value={topic.id}
              onChange={(event) => set({ id: event.currentTarget.value })}
              error={wrong('id')}
            />
          ) : (
            <Text size="xs" c="dimmed" className="breaks">
              {topic.id}
            </Text>
          )}
          <Group gap={2} wrap="nowrap">
            <ActionIcon
              variant="subtle"
              color="gray"
              disabled={isFirst}
              bg="transparent"
              onClick={() => move(-1)}
              title={t('topics.upKeys')}
              aria-label={`${t('topics.up')}: ${name}`}
            >
              <IconArrowUp size={15} aria-hidden />
            </ActionIcon>
            <ActionIcon
              variant="subtle"
              color="gray"
              disabled={isLast}
              bg="transparent"
              onClick={() => move(1)}
              title={t('topics.downKeys')}
              aria-label={`${t('topics.down')}: ${name}`}
            >
              <IconArrowDown size={15} aria-hidden />
            </ActionIcon>
            <ActionIcon
              variant="subtle"
              color="gray"
              onClick={remove}
              aria-label={`${t('edit.remove')}: ${name}`}
            >
              <IconTrash size={15} aria-hidden />
            </ActionIcon>
          </Group>
        </Group>
        <div className={classes.names}>
          {languages.map((one, place) => (
            <TextInput
              key={one}
              size="xs"
              lang={one}
              label={languageName(one)}
              value={topic.name[one] ?? ''}
              onChange={(event) => set({ name: { ...topic.name, [one]: event.currentTarget.value } })}
              error={wrong(`name.${one}`) ?? (place === 0 ? wrong('name') : undefined)}
            />
          ))}
          {isLong &&
            languages.map((one) => (
              <Textarea
                key={one}
                size="xs"
                autosize
                maxRows={4}
                lang={one}
                aria-label={`${t('topics.description')}: ${languageName(one)}`}
                placeholder={t('topics.description')}
                value={topic.description[one] ?? ''}
                onChange={(event) =>
                  set({ description: { ...topic.description, [one]: event.currentTarget.value } })
                }
                error={wrong(`description.${one}`)}
              />
            ))}
        </div>
        {!isLong && (
          <Group>
            <Button variant="subtle" color="gray" fw={500} size="compact-xs" onClick={() => setLong(true)}>
              {t('topics.addDescription')}
            </Button>
          </Group>
        )}
      </Stack>
    </li>
  );
}
