import { Box } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../../shared/format';
import type { Day } from '../calls';
import classes from '../Overview.module.css';
import { Part } from '../Part';
import { Sparkline } from '../Sparkline';

type What = Exclude<keyof Day, 'date'>;

/** What is counted, where it is listed, and in which colour its line is. */
const TILES: { what: What; to?: string; search?: Record<string, string>; colour: string }[] = [
  { what: 'sent', to: '/messages', search: { state: 'accepted' }, colour: 'blue' },
  { what: 'replied', to: '/contacts', colour: 'teal' },
  { what: 'documents', to: '/documents', colour: 'violet' },
  { what: 'paid', to: '/documents', search: { state: 'paid' }, colour: 'green' },
  { what: 'converted', to: '/journeys', colour: 'green' },
  { what: 'held', to: '/messages', search: { state: 'held' }, colour: 'orange' },
  { what: 'enrolled', to: '/journeys', colour: 'blue' },
  { what: 'tasks_done', to: '/tasks', search: { state: 'done' }, colour: 'violet' },
];

/** What happened today, beside the two weeks before. */
export function Today({ today, days, isOwn }: { today: Day; days: Day[]; isOwn: boolean }) {
  const { t } = useTranslation('overview');
  return (
    <Part title={t(isOwn ? 'today.titleOwn' : 'today.title')}>
      <Box className={classes.tiles}>
        {TILES.map((tile) => (
          <Tile key={tile.what} tile={tile} today={today} days={days} />
        ))}
      </Box>
    </Part>
  );
}

function Tile({ tile, today, days }: { tile: (typeof TILES)[number]; today: Day; days: Day[] }) {
  const { t } = useTranslation('overview');
  const format = useFormat();
  const { what, colour } = tile;
  const values = days.map((day) => day[what]);
  const sum = values.reduce((all, value) => all + value, 0);
  return (
    <Link to={tile.to ?? '/'} search={tile.search ?? {}} className={classes.tile}>
      <span className={classes.tileName}>{t(`today.${what}`)}</span>
      <span className={classes.tileFigure}>{format.number(today[what])}</span>
      <span className={classes.tileMore}>{t('today.sum', { number: format.number(sum) })}</span>
      <span className={classes.spark} style={{ color: `var(--mantine-color-${colour}-6)` }}>
        <Sparkline values={values} className={classes.sparkLine} />
      </span>
    </Link>
  );
}
