import { ActionIcon, Button, Group, Menu, Modal, ScrollArea, Stack, Tabs, TextInput } from '@mantine/core';
import { IconBookmarkPlus, IconDotsVertical } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Search } from '../../router';
import { tellFailure, tellUndoable } from '../../shared/tell';
import { type ChangeAddress, textOf } from '../../shared/useAddress';
import { keptOf, only, sameView } from './filters';
import { dropView, loadViews, putView, VIEW_CHARS_MAX, type View } from './views';

/** The tab that is no view. */
const ALL = '*';

type Props = { address: Search; change: ChangeAddress };

/** Lists that the person comes back to: a filter and an order under a name. */
export function Views({ address, change }: Props) {
  const { t } = useTranslation('documents');
  const queries = useQueryClient();
  const key = ['documents', 'views'];
  const { data } = useQuery({ queryKey: key, queryFn: ({ signal }) => loadViews(signal) });
  const [naming, setNaming] = useState<'save' | 'rename'>();
  const views = data ?? [];
  const current = views.find((one) => one.name === textOf(address.view));
  const now = keptOf(address);
  const isChanged = current !== undefined && !sameView(current.view, now);
  const isFiltered = !sameView({}, now);

  const show = (view: View | undefined) =>
    change({ ...only(view?.view ?? {}), view: view?.name }, { push: true });
  const put = async (view: View) => {
    queries.setQueryData<View[]>(key, (before = []) => [
      ...before.filter((one) => one.name !== view.name),
      view,
    ]);
    await putView(view);
    await queries.invalidateQueries({ queryKey: key });
  };
  const drop = async (view: View) => {
    queries.setQueryData<View[]>(key, (before = []) => before.filter((one) => one.name !== view.name));
    await dropView(view.name);
    await queries.invalidateQueries({ queryKey: key });
  };
  const name = async (text: string) => {
    const view = { name: text, view: naming === 'rename' && current !== undefined ? current.view : now };
    await put(view);
    if (naming === 'rename' && current !== undefined && current.name !== text) {
      await drop(current);
    }
    change({ view: text });
    setNaming(undefined);
  };

  return (
    <Group gap={4} wrap="nowrap" align="center">
      <ScrollArea type="never" style={{ minWidth: 0 }}>
        <Tabs
          value={current?.name ?? ALL}
          onChange={(value) => show(views.find((one) => one.name === value))}
          variant="default"
        >
          <Tabs.List style={{ flexWrap: 'nowrap' }} aria-label={t('views.label')}>
            <Tabs.Tab value={ALL}>{t('views.all')}</Tabs.Tab>
            {views.map((view) => (
              <Tabs.Tab
                key={view.name}
                value={view.name}
                maw={220}
                style={{ overflow: 'hidden', textOverflow: 'ellipsis' }}
              >
                {view.name}
                {view.name === current?.name && isChanged ? ' *' : ''}
              </Tabs.Tab>
            ))}
          </Tabs.List>
        </Tabs>
      </ScrollArea>
      {current !== undefined && (
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" aria-label={t('views.more', { name: current.name })}>
              <IconDotsVertical size={16} aria-hidden />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {isChanged && (
              <Menu.Item onClick={() => put({ name: current.name, view: now }).catch(tellFailure)}>
                {t('views.update')}
              </Menu.Item>
            )}
            <Menu.Item onClick={() => setNaming('rename')}>{t('views.rename')}</Menu.Item>
            <Menu.Item
              color="red"
              onClick={() => {
                show(undefined);
                drop(current)
                  .then(() => tellUndoable(t('views.deleted', { name: current.name }), () => put(current)))
                  .catch(tellFailure);
              }}
            >
              {t('views.delete')}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
      {isFiltered && (current === undefined || isChanged) && (
        <Button
          size="compact-sm"
          variant="subtle"
          leftSection={<IconBookmarkPlus size={15} aria-hidden />}
          style={{ flex: 'none' }}
          onClick={() => setNaming('save')}
        >
          {t('views.save')}
        </Button>
      )}
      {naming !== undefined && (
        <Naming
          title={naming === 'save' ? t('views.saveTitle') : t('views.rename')}
          first={naming === 'rename' ? (current?.name ?? '') : ''}
          taken={views.map((one) => one.name).filter((one) => naming === 'save' || one !== current?.name)}
          close={() => setNaming(undefined)}
          done={name}
        />
      )}
    </Group>
  );
}

type NamingProps = {
  title: string;
  first: string;
  taken: string[];
  close: () => void;
  done: (name: string) => Promise<void>;
};

function Naming({ title, first, taken, close, done }: NamingProps) {
  const { t } = useTranslation('documents');
  const [text, setText] = useState(first);
  const [isBusy, setBusy] = useState(false);
  const name = text.trim();
  const wrong = taken.includes(name) ? t('views.taken') : undefined;
  return (
    <Modal closeButtonProps={{ 'aria-label': t('close') }} opened onClose={close} title={title} centered>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (name !== '' && wrong === undefined) {
            setBusy(true);
            done(name)
              .catch(tellFailure)
              .finally(() => setBusy(false));
          }
        }}
      >
        <Stack>
          <TextInput
            data-autofocus
            label={t('views.name')}
            maxLength={VIEW_CHARS_MAX}
            value={text}
            error={wrong}
            onChange={(event) => setText(event.currentTarget.value)}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {t('cancel')}
            </Button>
            <Button type="submit" loading={isBusy} disabled={name === '' || wrong !== undefined}>
              {t('views.saveButton')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
