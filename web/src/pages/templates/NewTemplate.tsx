import { Button, Group, Modal, Radio, Select, Stack, TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { languageName } from './files';
import { START_FORMS, STARTS, type Start } from './starts';

const ID = /^[a-z0-9_-]{1,64}$/;
export const LANGUAGES = ['en', 'ru', 'ja', 'de', 'fr', 'es', 'it', 'pt', 'uk', 'kk', 'zh', 'ko', 'tr', 'pl'];

type Props = { opened: boolean; onClose: () => void; taken: readonly string[] };

/** Names a new template and opens its page; nothing is saved before that page saves it. */
export function NewTemplate({ opened, onClose, taken }: Props) {
  const { t, i18n } = useTranslation('templates');
  const navigate = useNavigate();
  const [start, setStart] = useState<Start>('newsletter');
  const [id, setId] = useState('');
  const [language, setLanguage] = useState(i18n.language);
  const problem =
    id === '' ? undefined : !ID.test(id) ? t('new.badId') : taken.includes(id) ? t('new.taken') : undefined;
  const isReady = id !== '' && problem === undefined;
  return (
    <Modal opened={opened} onClose={onClose} title={t('new.title')} size="lg">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady) {
            onClose();
            navigate({ to: '/templates/$id', params: { id } as never, search: { start, language } });
          }
        }}
      >
        <Stack gap="md">
          <TextInput
            label={t('new.id')}
            description={t('new.idText')}
            value={id}
            error={problem}
            onChange={(event) => setId(event.currentTarget.value.trim().toLowerCase().replace(/\s+/g, '-'))}
            data-autofocus
          />
          <Radio.Group label={t('new.start')} value={start} onChange={(value) => setStart(value as Start)}>
            <Stack gap="xs" mt={6}>
              {STARTS.map((one) => (
                <Radio
                  key={one}
                  value={one}
                  label={`${t(`start.${one}`)} (${t(`form.${START_FORMS[one]}`)})`}
                  description={t(`start.${one}Text`)}
                />
              ))}
            </Stack>
          </Radio.Group>
          <Select
            label={t('new.language')}
            searchable
            allowDeselect={false}
            value={language}
            data={LANGUAGES.map((tag) => ({ value: tag, label: languageName(tag, i18n.language) }))}
            onChange={(tag) => tag !== null && setLanguage(tag)}
          />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              {t('shell:cancel')}
            </Button>
            <Button type="submit" disabled={!isReady}>
              {t('new.go')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
