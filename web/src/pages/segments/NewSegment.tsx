import { Button, Group, Modal, Radio, Stack, TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { idOf } from '../../shared/editing/idOf';
import { ID, STARTS, type Start } from './starts';

type Props = { opened: boolean; onClose: () => void; taken: readonly string[] };

/** Names a new segment and opens its page; nothing is saved before that page saves it. */
/** An id that means something else in the API. */
const RESERVED = new Set(['preview']);

export function NewSegment({ opened, onClose, taken }: Props) {
  const { t } = useTranslation('segments');
  const navigate = useNavigate();
  const [start, setStart] = useState<Start>('condition');
  const [name, setName] = useState('');
  const [own, setOwn] = useState<string>();
  const id = own ?? idOf(name, RESERVED);
  const problem =
    id === '' ? undefined : !ID.test(id) ? t('new.badId') : taken.includes(id) ? t('new.taken') : undefined;
  const open = () => {
    if (id !== '' && problem === undefined) {
      onClose();
      navigate({
        to: '/segments/$id',
        params: { id } as never,
        search: { start, ...(name === '' ? {} : { name }) },
      });
    }
  };
  return (
    <Modal opened={opened} onClose={onClose} title={t('new.title')}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          open();
        }}
      >
        <Stack gap="md">
          <Radio.Group label={t('new.kind')} value={start} onChange={(value) => setStart(value as Start)}>
            <Stack gap="xs" mt={6}>
              {STARTS.map((one) => (
                <Radio key={one} value={one} label={t(`new.${one}`)} description={t(`new.${one}Text`)} />
              ))}
            </Stack>
          </Radio.Group>
          <TextInput
            label={t('head.name')}
            value={name}
            maxLength={256}
            onChange={(event) => setName(event.currentTarget.value)}
            data-autofocus
          />
          <TextInput
            label={t('new.id')}
            description={t('new.idText')}
            value={id}
            error={problem}
            onChange={(event) => setOwn(event.currentTarget.value)}
          />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              {t('shell:cancel')}
            </Button>
            <Button type="submit" disabled={id === '' || problem !== undefined}>
              {t('new.go')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
