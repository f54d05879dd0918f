import { Text, VisuallyHidden } from '@mantine/core';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { type Row, rows } from '../model/diff';
import classes from './Difference.module.css';

/** Lines shown round a change. */
const CONTEXT_LINES = 3;

type Shown = Row | { what: 'skipped'; count: number };

function shorten(all: readonly Row[]): Shown[] {
  const near = all.map((_, at) =>
    all.slice(Math.max(0, at - CONTEXT_LINES), at + CONTEXT_LINES + 1).some((one) => one.what === 'changed'),
  );
  const out: Shown[] = [];
  for (const [at, row] of all.entries()) {
    const last = out.at(-1);
    if (near[at]) {
      out.push(row);
    } else if (last?.what === 'skipped') {
      last.count += 1;
    } else {
      out.push({ what: 'skipped', count: 1 });
    }
  }
  return out;
}

type Props = { before: string; after: string; isWhole: boolean };

/** Two texts side by side; on a narrow page one below the other, line by line. */
export function Difference({ before, after, isWhole }: Props) {
  const { t } = useTranslation('journeys');
  const all = useMemo(() => rows(before, after), [before, after]);
  const shown = useMemo(() => (isWhole ? all : shorten(all)), [all, isWhole]);
  const isSame = before === after;
  if (isSame && !isWhole) {
    return (
      <Text size="sm" c="dimmed">
        {t('versions.same')}
      </Text>
    );
  }
  return (
    <section
      className={classes.table}
      data-one={isSame || undefined}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled by keys
      tabIndex={0}
      aria-label={t('versions.difference')}
    >
      {shown.map((row, at) => {
        if (row.what === 'skipped') {
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines of two fixed texts, in their order
            <div key={at} className={classes.skipped}>
              {t('versions.skipped', { count: row.count })}
            </div>
          );
        }
        if (row.what === 'same') {
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines of two fixed texts, in their order
            <div key={at} className={classes.row}>
              <Line number={row.left} text={row.text} />
              {!isSame && <Line number={row.right} text={row.text} isSecond />}
            </div>
          );
        }
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines of two fixed texts, in their order
          <div key={at} className={classes.row}>
            <Line number={row.left} text={row.before} change={row.before === undefined ? 'none' : 'gone'} />
            <Line number={row.right} text={row.after} change={row.after === undefined ? 'none' : 'come'} />
          </div>
        );
      })}
    </section>
  );
}

type LineProps = {
  number: number | undefined;
  text: string | undefined;
  change?: 'gone' | 'come' | 'none';
  isSecond?: boolean;
};

function Line({ number, text, change, isSecond }: LineProps) {
  const { t } = useTranslation('journeys');
  const mark = change === 'gone' ? t('versions.gone') : change === 'come' ? t('versions.come') : undefined;
  return (
    <div className={classes.line} data-change={change} data-second={isSecond || undefined}>
      <span className={classes.number} aria-hidden>
        {number}
      </span>
      {mark !== undefined && <VisuallyHidden>{mark}</VisuallyHidden>}
      <pre>{text}</pre>
    </div>
  );
}
