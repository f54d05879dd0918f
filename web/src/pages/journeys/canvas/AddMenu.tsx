import { Menu } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Kind } from '../model/journey';
import { lookOf } from './kinds';

const GROUPS: { name: string; kinds: Kind[] }[] = [
  { name: 'reach', kinds: ['send'] },
  { name: 'time', kinds: ['wait', 'wait_for'] },
  { name: 'ways', kinds: ['branch', 'split'] },
  { name: 'people', kinds: ['task', 'notify'] },
  { name: 'data', kinds: ['set', 'move', 'promo'] },
  { name: 'flow', kinds: ['enroll', 'stop'] },
];

type Props = { anchor: HTMLElement; choose: (kind: Kind) => void; close: () => void };

/** The kinds of steps, beside the place where one comes. */
export function AddMenu({ anchor, choose, close }: Props) {
  const { t } = useTranslation('journeys');
  const [at] = useState(() => {
    const box = anchor.getBoundingClientRect();
    return { left: box.left + box.width / 2, top: box.bottom };
  });
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const frame = requestAnimationFrame(() =>
      list.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus({ preventScroll: true }),
    );
    return () => cancelAnimationFrame(frame);
  }, []);
  return (
    <Menu
      opened
      onClose={close}
      position="bottom"
      shadow="md"
      width={280}
      returnFocus={false}
      trapFocus
      withInitialFocusPlaceholder={false}
    >
      <Menu.Target>
        <span style={{ position: 'fixed', ...at, width: 1, height: 1 }} />
      </Menu.Target>
      <Menu.Dropdown
        ref={list}
        mah="min(440px, 70vh)"
        style={{ overflowY: 'auto' }}
        aria-label={t('canvas.add')}
      >
        {GROUPS.map((group) => (
          <div key={group.name}>
            <Menu.Label>{t(`group.${group.name}`)}</Menu.Label>
            {group.kinds.map((kind) => {
              const { icon: Icon } = lookOf(kind);
              return (
                <Menu.Item
                  key={kind}
                  leftSection={<Icon size={16} aria-hidden />}
                  onClick={() => choose(kind)}
                  data-kind={kind}
                >
                  {t(`kind.${kind}`)}
                </Menu.Item>
              );
            })}
          </div>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
