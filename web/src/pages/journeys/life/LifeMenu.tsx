import { ActionIcon, Menu } from '@mantine/core';
import {
  IconArchive,
  IconDots,
  IconPlayerPause,
  IconPlayerPlay,
  IconTrash,
  IconUserOff,
} from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { queries } from '../../../api/queries';
import { tellFailure, tellUndoable } from '../../../shared/tell';
import { dropDraft, type JourneyShown, type JourneySummary, putDraft } from '../calls';
import type { DraftKeeper } from '../text/DraftKeeper';
import { ConfirmLife, type Life } from './ConfirmLife';

type Props = { shown: JourneySummary | JourneyShown; keeper?: DraftKeeper; size?: 'sm' | 'lg' };

/** What can be done with a journey as a whole. */
export function LifeMenu({ shown, keeper, size = 'lg' }: Props) {
  const { t } = useTranslation('journeys');
  const navigate = useNavigate();
  const [asked, setAsked] = useState<Life>();
  const { status } = shown;
  const isOut = shown.newest !== null;
  const hasDraft = shown.drafted_at !== null;
  const name = shown.name ?? shown.id;
  const drop = async () => {
    const before = keeper?.model.text;
    await dropDraft(shown.id);
    const version =
      'versions' in shown ? (shown.versions.find((one) => one.current) ?? shown.versions.at(-1)) : undefined;
    if (version !== undefined) {
      keeper?.rebase({ text: version.text, revision: undefined });
    }
    await queries.invalidateQueries({ queryKey: ['journeys'] });
    if (before !== undefined) {
      tellUndoable(t('life.dropped'), async () => {
        if (version !== undefined) {
          keeper?.model.replace(before);
        } else {
          await putDraft(shown.id, before, undefined);
          await queries.invalidateQueries({ queryKey: ['journeys'] });
        }
      });
    }
    if (version === undefined && keeper !== undefined) {
      keeper.forget();
      await navigate({ to: '/journeys' });
    }
  };
  return (
    <>
      <Menu position="bottom-end" width={260}>
        <Menu.Target>
          <ActionIcon
            variant={size === 'lg' ? 'default' : 'subtle'}
            color="gray"
            size={size === 'lg' ? 36 : 'md'}
            aria-label={t('life.menu', { name })}
          >
            <IconDots size={17} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {status === 'live' && (
            <Menu.Item
              leftSection={<IconPlayerPause size={16} aria-hidden />}
              onClick={() => setAsked('pause')}
            >
              {t('life.pause')}
            </Menu.Item>
          )}
          {status === 'paused' && (
            <Menu.Item
              leftSection={<IconPlayerPlay size={16} aria-hidden />}
              onClick={() => setAsked('resume')}
            >
              {t('life.resume')}
            </Menu.Item>
          )}
          {(status === 'live' || status === 'paused') && (
            <Menu.Item leftSection={<IconUserOff size={16} aria-hidden />} onClick={() => setAsked('retire')}>
              {t('life.retire')}
            </Menu.Item>
          )}
          {isOut && status !== 'archived' && (
            <Menu.Item
              color="red"
              leftSection={<IconArchive size={16} aria-hidden />}
              onClick={() => setAsked('archive')}
            >
              {t('life.archive')}
            </Menu.Item>
          )}
          {hasDraft && (
            <Menu.Item
              color="red"
              leftSection={<IconTrash size={16} aria-hidden />}
              onClick={() => drop().catch(tellFailure)}
            >
              {t('life.drop')}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      {asked !== undefined && <ConfirmLife shown={shown} life={asked} close={() => setAsked(undefined)} />}
    </>
  );
}
