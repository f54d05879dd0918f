import { Box, Text } from '@mantine/core';
import { IconBriefcase, IconChecklist, IconFileInvoice } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../../shared/format';
import { useMay } from '../../../shell/useSession';
import type { Answer, Count } from '../calls';
import classes from '../Overview.module.css';
import { Part } from '../Part';

/** Currencies that a card has room for. */
const CURRENCIES_SHOWN = 3;

/** What waits for the reader; each card leads to where it is done. */
export function Waiting({ waiting }: { waiting: Answer['waiting'] }) {
  const { t } = useTranslation('overview');
  const format = useFormat();
  const may = useMay();
  const count = (one: Count) => (one.exact ? format.number(one.count) : `${format.number(one.count)}+`);
  const amounts = waiting.documents_amount
    .filter((one) => one.count > 0)
    .slice(0, CURRENCIES_SHOWN)
    .map((one) => format.amount(one.amount, one.currency))
    .join(' · ');
  const nothing = waiting.approvals.count + waiting.tasks.count + waiting.documents.count === 0;
  return (
    <Part title={t('waiting.title')}>
      <Box className={classes.cards}>
        {may('approve') && (
          <Link to="/approvals" className={classes.card} data-some={waiting.approvals.count > 0 || undefined}>
            <IconChecklist size={20} stroke={1.6} aria-hidden />
            <span className={classes.figure}>{count(waiting.approvals)}</span>
            <span className={classes.name}>{t('waiting.approvals', { count: waiting.approvals.count })}</span>
            <span className={classes.more}>{t('waiting.approvalsText')}</span>
          </Link>
        )}
        <Link
          to="/tasks"
          search={{ due: 'today' }}
          className={classes.card}
          data-some={waiting.tasks.count > 0 || undefined}
        >
          <IconBriefcase size={20} stroke={1.6} aria-hidden />
          <span className={classes.figure}>{count(waiting.tasks)}</span>
          <span className={classes.name}>{t('waiting.tasks', { count: waiting.tasks.count })}</span>
          <span className={classes.more}>{t('waiting.tasksText')}</span>
        </Link>
        <Link
          to="/documents"
          search={{ overdue: true }}
          className={classes.card}
          data-some={waiting.documents.count > 0 || undefined}
        >
          <IconFileInvoice size={20} stroke={1.6} aria-hidden />
          <span className={classes.figure}>{count(waiting.documents)}</span>
          <span className={classes.name}>{t('waiting.documents', { count: waiting.documents.count })}</span>
          <span className={classes.more}>{amounts || t('waiting.documentsText')}</span>
        </Link>
      </Box>
      {nothing && (
        <Text size="sm" c="dimmed">
          {t('waiting.nothing')}
        </Text>
      )}
    </Part>
  );
}
