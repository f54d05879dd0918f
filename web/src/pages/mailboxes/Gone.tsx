/** Mailboxes that were removed: what waits for them, and the way to let go of it. */
import { Button, Radio, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../shared/format';
import { tellDone } from '../../shared/tell';
import { Confirm } from '../settings/Confirm';
import classes from '../settings/Settings.module.css';
import { type Fate, forget, type Gone as GoneBox, mailboxesQuery } from './calls';

export function Gone({ boxes }: { boxes: GoneBox[] }) {
  const { t } = useTranslation('mailboxes');
  const format = useFormat();
  const [asked, setAsked] = useState<GoneBox>();
  return (
    <>
      <ul className={classes.rows} aria-label={t('gone.title')}>
        {boxes.map((box) => (
          <li
            key={box.address}
            className={classes.row}
            style={{ alignItems: 'flex-start' }}
            data-gone={box.address}
          >
            <Stack gap={4} className={classes.rowMain}>
              <Text size="sm" fw={600} c="dimmed" className="breaks">
                {box.address}
              </Text>
              <Text size="xs" c="dimmed" className="breaks">
                {t('gone.text')}
              </Text>
              {box.waiting > 0 && (
                <Text size="xs" c="var(--relance-look)">
                  {t(box.exact ? 'waiting' : 'waitingMore', {
                    count: box.waiting,
                    number: format.number(box.waiting),
                  })}
                </Text>
              )}
            </Stack>
            <Button size="compact-sm" variant="default" fw={500} onClick={() => setAsked(box)}>
              {t('gone.forget')}
            </Button>
          </li>
        ))}
      </ul>
      {asked && <Forget box={asked} close={() => setAsked(undefined)} />}
    </>
  );
}

/** Asks what becomes of the reminders, then lets go of the mailbox. */
function Forget({ box, close }: { box: GoneBox; close: () => void }) {
  const { t } = useTranslation('mailboxes');
  const queries = useQueryClient();
  const [fate, setFate] = useState<Fate>('leave_out');
  const { address } = box;
  return (
    <Confirm
      title={t('gone.titleOne', { address })}
      text={
        <Stack gap="sm">
          <Text size="sm">{t('gone.ask')}</Text>
          <Radio.Group
            value={fate}
            onChange={(value) => setFate(value === 'go_on' ? 'go_on' : 'leave_out')}
            label={t('gone.fate')}
          >
            <Stack gap="xs" mt={6}>
              <Radio value="leave_out" label={t('gone.leaveOut')} description={t('gone.leaveOutText')} />
              <Radio value="go_on" label={t('gone.goOn')} description={t('gone.goOnText')} />
            </Stack>
          </Radio.Group>
        </Stack>
      }
      action={t('gone.forget')}
      run={async () => {
        await forget(address, fate);
        await queries.invalidateQueries({ queryKey: mailboxesQuery.queryKey });
        tellDone(t('gone.done', { address }));
      }}
      close={close}
    />
  );
}
