import { Group, Kbd, Modal, Stack, Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { isTyping } from '../shared/keys';

const KEYS = [
  ['Ctrl K', 'search'],
  ['?', 'help'],
  ['j k', 'rows'],
  ['Enter', 'open'],
  ['x', 'select'],
  ['a s c e', 'approvals'],
] as const;

/** Which keys do what; `?` opens it on every page. */
export function KeyHelp() {
  const { t } = useTranslation('shell');
  const [opened, setOpened] = useState(false);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key === '?' && !isTyping(event)) {
        setOpened(true);
      }
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, []);
  return (
    <Modal opened={opened} onClose={() => setOpened(false)} title={t('keys.title')}>
      <Stack gap="xs">
        {KEYS.map(([keys, name]) => (
          <Group key={name} justify="space-between">
            <Text size="sm">{t(`keys.${name}`)}</Text>
            <Group gap={4}>
              {keys.split(' ').map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </Group>
          </Group>
        ))}
      </Stack>
    </Modal>
  );
}
