import { Button, Loader, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import classes from './Approvals.module.css';
import type { Bundle, State } from './outbox';

type Props = {
  state: State;
  undo: (key: number) => void;
  retry: () => void;
};

/** The last answer, while it can be taken back; and answers that the server could not be told. */
export function Tray({ state, undo, retry }: Props) {
  const { t } = useTranslation('approvals');
  const last = state.bundles.at(-1);
  return (
    <div aria-live="polite" role="status">
      {last !== undefined && (
        <div className={classes.tray}>
          {last.state === 'sending' && <Loader size="xs" aria-hidden />}
          <Text size="sm" lineClamp={2} className="breaks" style={{ minWidth: 0 }}>
            {last.state === 'unreached' ? t('unreached', { count: count(state) }) : said(t, last)}
          </Text>
          {last.state === 'unreached' && (
            <Button size="compact-sm" variant="white" color="dark" onClick={retry}>
              {t('sendNow')}
            </Button>
          )}
          {last.state !== 'sending' && (
            <Button
              size="compact-sm"
              variant="filled"
              style={{ flex: 'none' }}
              onClick={() => undo(last.key)}
            >
              {t('undo')}
              <kbd className={classes.key}>U</kbd>
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

function count(state: State): number {
  return state.bundles.reduce((sum, one) => sum + one.said.length, 0);
}

function said(t: (key: string, values: Record<string, unknown>) => string, bundle: Bundle): string {
  const word = bundle.said[0]?.answer ?? 'approve';
  return bundle.said.length === 1 && bundle.label !== ''
    ? t(`done.${word}`, { label: bundle.label })
    : t(`doneMany.${word}`, { count: bundle.said.length });
}
