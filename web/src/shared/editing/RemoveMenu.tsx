import { Button, Menu } from '@mantine/core';
import { IconDots, IconTrash } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { failureOf } from '../../api/problem';
import { tellFailure } from '../tell';
import { ConfirmDialog } from './ConfirmDialog';

type Props = {
  /** What is asked before it goes. */
  title: string;
  text: string;
  remove: () => Promise<unknown>;
  /** It is gone. */
  onGone: () => void;
};

/** Takes what is open away for good; what journeys need stays, and it says which. */
export function RemoveMenu({ title, text, remove, onGone }: Props) {
  const { t } = useTranslation('editing');
  const [asking, setAsking] = useState(false);
  const work = useMutation({
    mutationFn: remove,
    onSuccess: () => {
      setAsking(false);
      onGone();
    },
    onError: (error) => {
      if (users(error) === undefined) {
        setAsking(false);
        tellFailure(error);
      }
    },
  });
  const journeys = work.isError ? users(work.error) : undefined;
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" px="xs" aria-label={t('more')}>
            <IconDots size={16} aria-hidden />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            color="red"
            leftSection={<IconTrash size={14} aria-hidden />}
            onClick={() => {
              work.reset();
              setAsking(true);
            }}
          >
            {t('shell:delete')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={title}
        text={journeys === undefined ? text : t('inUse', { journeys: journeys.join(', ') })}
        confirm={t('shell:delete')}
        isBusy={work.isPending}
        onConfirm={() => work.mutate()}
      />
    </>
  );
}

/** Journeys that need what was to go. */
export function users(error: unknown): string[] | undefined {
  const { problem } = failureOf(error);
  return problem.code === 'in_use' && Array.isArray(problem.journeys)
    ? problem.journeys.map(String)
    : undefined;
}
