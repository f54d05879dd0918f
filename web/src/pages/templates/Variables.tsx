import { Button, Popover, ScrollArea, Stack, Text, TextInput, UnstyledButton } from '@mantine/core';
import { IconBraces } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Variable } from './api';
import { brief, names } from './jinja';
import classes from './Variables.module.css';

type Props = { variables: readonly Variable[]; onInsert: (name: string) => void };

/** The names that a template may show, with what they are for the chosen contact. */
export function Variables({ variables, onInsert }: Props) {
  const { t } = useTranslation('templates');
  const [opened, setOpened] = useState(false);
  const [wanted, setWanted] = useState('');
  const found = names(variables).filter(({ name, value }) =>
    `${name} ${brief(value)}`.toLowerCase().includes(wanted.toLowerCase()),
  );
  const insert = (name: string) => {
    setOpened(false);
    setWanted('');
    onInsert(name);
  };
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-start" width={340} trapFocus shadow="md">
      <Popover.Target>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconBraces size={14} />}
          onClick={() => setOpened((before) => !before)}
        >
          {t('variables.insert')}
        </Button>
      </Popover.Target>
      <Popover.Dropdown p="xs">
        <TextInput
          size="xs"
          mb="xs"
          aria-label={t('variables.search')}
          placeholder={t('variables.search')}
          value={wanted}
          onChange={(event) => setWanted(event.currentTarget.value)}
          onKeyDown={(event) => {
            const [first] = found;
            if (event.key === 'Enter' && first !== undefined) {
              insert(first.name);
            }
          }}
          data-autofocus
        />
        <ScrollArea.Autosize mah={300} type="auto">
          <Stack gap={0}>
            {found.map(({ name, value }) => (
              <UnstyledButton key={name} className={classes.one} onClick={() => insert(name)}>
                <Text size="xs" ff="monospace" className="breaks">
                  {name}
                </Text>
                <Text size="xs" c="dimmed" lineClamp={1} className="breaks">
                  {brief(value)}
                </Text>
              </UnstyledButton>
            ))}
            {found.length === 0 && (
              <Text size="xs" c="dimmed" p="xs">
                {t('variables.none')}
              </Text>
            )}
          </Stack>
        </ScrollArea.Autosize>
      </Popover.Dropdown>
    </Popover>
  );
}
