import { describe, expect, it } from 'vitest';
import { checkQuiet, quietOfWeek, readDays, readQuiet, tidyTime, WEEK, writeDays, writeQuiet } from './quiet';

const words = (key: string) => key;

describe('quiet hours', () => {
  it('come back as they were written', () => {
    const all = [
      { email: '21:00-09:00' },
      {
        sms: [
          { days: 'mon-fri', hours: '20:00-10:00' },
          { days: 'sat,sun', hours: '00:00-24:00' },
        ],
      },
      { voice: [{ days: 'bd', hours: '18:00-24:00' }] },
      {},
    ];
    for (const one of all) {
      expect(writeQuiet(readQuiet(one))).toEqual(one);
    }
    expect(readQuiet(null)).toEqual({});
  });

  it('know days by their names, over the end of the week too', () => {
    expect(readDays('fri-mon')).toEqual(['mon', 'fri', 'sat', 'sun']);
    expect(readDays(null)).toEqual(WEEK);
    expect(writeDays(['mon', 'wed', 'thu', 'fri'])).toBe('mon,wed-fri');
    expect(writeDays(['mon', 'tue'])).toBe('mon,tue');
  });

  it('over midnight reach into the next day', () => {
    const week = quietOfWeek([{ days: ['sun'], from: '18:00', to: '06:00' }]);
    expect(week[6]).toEqual([{ from: 0.75, to: 1 }]);
    expect(week[0]).toEqual([{ from: 0, to: 0.25 }]);
  });

  it('take times as people write them', () => {
    expect(['9', '930', '9.30', ' 21:00 ', '２１：００'].map((one) => tidyTime(one, false))).toEqual([
      '09:00',
      '09:30',
      '09:30',
      '21:00',
      '21:00',
    ]);
    expect(tidyTime('0', true)).toBe('24:00');
    expect(tidyTime('late', false)).toBe('late');
  });

  it('say what is wrong by its place', () => {
    const period = { days: WEEK, from: '21:00', to: '09:00' };
    const wrong = (patch: object) => checkQuiet({ email: [period, { ...period, ...patch }] }, words)[0];
    expect(wrong({ to: '25:00' })).toEqual({ field: 'email.1', message: 'settings:quiet.wrongTime' });
    expect(wrong({ to: '21:00' })?.message).toBe('settings:quiet.wrongEmpty');
    expect(wrong({ days: [] })?.message).toBe('settings:quiet.wrongDays');
    expect(wrong({ from: '08:00', to: '22:00' })?.message).toBe('settings:quiet.wrongAlways');
    expect(wrong({})).toBeUndefined();
  });
});
