/** A week at a glance: a line a day, what is quiet is filled. */
import { useTranslation } from 'react-i18next';
import { weekdayNames } from './days';
import { type Period, quietOfWeek, WEEK } from './quiet';
import classes from './sections.module.css';

export function WeekStrip({ periods, label }: { periods: readonly Period[]; label: string }) {
  const { i18n } = useTranslation();
  const names = weekdayNames(i18n.language, 'short');
  const week = quietOfWeek(periods);
  return (
    <div className={classes.week} role="img" aria-label={label}>
      {WEEK.map((day, place) => (
        <div key={day} className={classes.weekDay}>
          <span className={classes.weekName}>{names[place]}</span>
          <span className={classes.weekLine}>
            {week[place]?.map(({ from, to }) => (
              <span
                key={`${from}-${to}`}
                className={classes.weekQuiet}
                style={{ insetInlineStart: `${from * 100}%`, width: `${(to - from) * 100}%` }}
              />
            ))}
          </span>
        </div>
      ))}
      <div className={classes.weekHours}>
        {[0, 6, 12, 18, 24].map((hour) => (
          <span key={hour}>{hour}</span>
        ))}
      </div>
    </div>
  );
}
