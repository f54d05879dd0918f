import { Modal } from '@mantine/core';
import { type ReactNode, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

type Props = {
  title: string;
  close: () => void;
  children: ReactNode;
  /** Something is shown that is shown only now: it goes by its own button alone. */
  stays?: boolean;
  size?: string;
};

/** A dialog that is open as long as it is there; whoever opened it has the focus again afterwards. */
export function Dialog({ title, close, children, stays = false, size = 'md' }: Props) {
  const { t } = useTranslation('shell');
  const [before] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      requestAnimationFrame(() => {
        const back = before instanceof HTMLElement && before.isConnected ? before : undefined;
        (back ?? document.getElementById('page'))?.focus();
      });
    },
    [before],
  );
  return (
    <Modal
      opened
      onClose={close}
      title={title}
      size={size}
      returnFocus={false}
      closeOnClickOutside={!stays}
      closeOnEscape={!stays}
      withCloseButton={!stays}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      {children}
    </Modal>
  );
}
