import { Anchor, Skeleton, Stack, Text } from '@mantine/core';
import {
  IconCheckbox,
  IconClockPause,
  IconCoin,
  IconFileText,
  IconMessageReply,
  IconRoute,
  IconSend,
  IconTargetArrow,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../../shared/format';
import { ProblemNote } from '../../../shared/ProblemNote';
import { useNow } from '../../../shared/useNow';
import { feedQuery, type Happened } from '../calls';
import classes from '../Overview.module.css';
import { Part } from '../Part';

const ICONS = {
  sent: { icon: IconSend, colour: 'var(--mantine-color-blue-6)' },
  held: { icon: IconClockPause, colour: 'var(--mantine-color-orange-6)' },
  enrolled: { icon: IconRoute, colour: 'var(--mantine-color-gray-6)' },
  converted: { icon: IconTargetArrow, colour: 'var(--mantine-color-green-6)' },
  replied: { icon: IconMessageReply, colour: 'var(--mantine-color-teal-6)' },
  documents: { icon: IconFileText, colour: 'var(--mantine-color-violet-6)' },
  paid: { icon: IconCoin, colour: 'var(--mantine-color-green-6)' },
  tasks_done: { icon: IconCheckbox, colour: 'var(--mantine-color-violet-6)' },
} as const;

type Known = keyof typeof ICONS;

/** A server that is newer may tell of more. */
function isKnown(what: string): what is Known {
  return what in ICONS;
}

/** What happened last: messages, answers, documents, payments, tasks that were done. */
export function Latest() {
  const { t, i18n } = useTranslation('overview');
  const { data, error, isError, refetch } = useQuery(feedQuery(i18n.language));
  const lines = data?.items.filter((one) => isKnown(one.what));
  return (
    <Part
      title={t('latest.title')}
      more={
        <Anchor component={Link} to="/messages" size="sm">
          {t('latest.all')}
        </Anchor>
      }
    >
      {isError && lines === undefined && <ProblemNote error={error} retry={() => refetch()} />}
      {lines === undefined && !isError && <Skeleton height={280} />}
      {lines?.length === 0 && (
        <Text size="sm" c="dimmed">
          {t('latest.none')}
        </Text>
      )}
      {lines !== undefined && lines.length > 0 && (
        <ul className={classes.lines}>
          {lines.map((line, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines have no id, and two may be alike
            <Line key={`${line.at} ${line.contact} ${line.what} ${at}`} line={line} />
          ))}
        </ul>
      )}
    </Part>
  );
}

function Line({ line }: { line: Happened }) {
  const { t } = useTranslation('overview');
  const format = useFormat();
  const now = useNow();
  if (!isKnown(line.what)) {
    return null;
  }
  const { icon: Icon, colour } = ICONS[line.what];
  const number = line.event?.properties?.number;
  return (
    <li className={classes.line}>
      <Icon size={18} stroke={1.6} aria-hidden className={classes.icon} style={{ color: colour }} />
      <Stack gap={0} className={classes.lineMain}>
        <Text size="sm" className="breaks" lineClamp={1} component="div">
          <Anchor component={Link} to={`/contacts/${line.contact}`} fw={600}>
            {line.contact_name ?? line.contact}
          </Anchor>
        </Text>
        <Text size="xs" c="dimmed" className="breaks" lineClamp={2}>
          {line.ledger?.sentence ??
            (typeof number === 'string' && number !== ''
              ? t(`feed.numbered.${line.what}`, { number, defaultValue: t(`feed.${line.what}`) })
              : t(`feed.${line.what}`))}
        </Text>
      </Stack>
      <Text size="xs" c="dimmed" className="numbers" style={{ flex: 'none' }}>
        {format.relative(line.at, now)}
      </Text>
    </li>
  );
}
