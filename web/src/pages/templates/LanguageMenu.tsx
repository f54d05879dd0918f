import { ActionIcon, Menu, ScrollArea } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ConfirmDialog } from '../../shared/editing/ConfirmDialog';
import type { Files } from './api';
import { type FileName, fileName, languageName, readName } from './files';
import { LANGUAGES } from './NewTemplate';

type Props = {
  id: string;
  files: Files;
  file: FileName | undefined;
  /** The server keeps it: it goes at once, and others may need it. */
  isSaved: boolean;
  onAdd: (name: string, text: string) => void;
  onRemove: (name: string) => void;
  isBusy: boolean;
};

/** Adds a language, which begins as a copy of the one that is open, or a plain text beside the designed one. */
export function LanguageMenu({ id, files, file, isSaved, onAdd, onRemove, isBusy }: Props) {
  const { t, i18n } = useTranslation('templates');
  const [removing, setRemoving] = useState(false);
  const form = file?.form ?? 'txt';
  const taken = new Set(
    Object.keys(files).flatMap((name) => {
      const read = readName(id, name);
      return read?.form === form ? [read.language] : [];
    }),
  );
  const text = file === undefined ? '' : (files[file.name] ?? '');
  const beside = file === undefined || form === 'txt' ? undefined : fileName(id, file.language, 'txt');
  return (
    <>
      <Menu position="bottom-start" withinPortal>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" m={4} aria-label={t('language.menu')}>
            <IconPlus size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{t('language.add')}</Menu.Label>
          <ScrollArea.Autosize mah={260}>
            {LANGUAGES.filter((tag) => !taken.has(tag)).map((tag) => (
              <Menu.Item key={tag} onClick={() => onAdd(fileName(id, tag, form), text)}>
                {languageName(tag, i18n.language)}
              </Menu.Item>
            ))}
          </ScrollArea.Autosize>
          {beside !== undefined && files[beside] === undefined && (
            <>
              <Menu.Divider />
              <Menu.Item onClick={() => onAdd(beside, `${headOf(text)}\n`)}>
                {t('language.addText')}
              </Menu.Item>
            </>
          )}
          {file !== undefined && Object.keys(files).length > 1 && (
            <>
              <Menu.Divider />
              <Menu.Item color="red" leftSection={<IconTrash size={14} />} onClick={() => setRemoving(true)}>
                {t('language.remove', { file: file.name })}
              </Menu.Item>
            </>
          )}
        </Menu.Dropdown>
      </Menu>
      <ConfirmDialog
        opened={removing}
        onClose={() => setRemoving(false)}
        title={t('language.remove', { file: file?.name ?? '' })}
        text={t(isSaved ? 'remove.fileText' : 'language.removeText')}
        confirm={t('shell:delete')}
        isBusy={isBusy}
        onConfirm={() => {
          if (file !== undefined) {
            onRemove(file.name);
          }
          setRemoving(false);
        }}
      />
    </>
  );
}

/** The head of a file, which its plain text needs as well. */
function headOf(text: string): string {
  return /^---\n[\s\S]*?\n---\n/.exec(text)?.[0] ?? '---\nsubject: ""\n---\n';
}
