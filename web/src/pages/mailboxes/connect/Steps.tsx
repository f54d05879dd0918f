import { Loader, Stack, Text } from '@mantine/core';
import { IconCircleCheck, IconCircleX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Checked } from '../calls';
import own from '../Mailboxes.module.css';

const ORDER = ['connect', 'tls', 'login', 'folders', 'smtp'] as const;

/** What is checked, with a tick or with what to do; while it goes on, what it will be. */
export function Steps({ checked, hasSmtp }: { checked: Checked | undefined; hasSmtp: boolean }) {
  const { t } = useTranslation('mailboxes');
  if (checked === undefined) {
    return (
      <ul className={own.steps} role="status" aria-label={t('checking')}>
        {ORDER.filter((one) => one !== 'smtp' || hasSmtp).map((one) => (
          <li key={one} className={own.step}>
            <Loader size={16} color="gray" />
            <Text size="sm" c="dimmed">
              {t(`step.${one}`)}
            </Text>
          </li>
        ))}
      </ul>
    );
  }
  return (
    <ul className={own.steps} aria-label={t('checked')}>
      {checked.steps.map((one) => (
        <li key={one.step} className={own.step}>
          {one.ok ? (
            <IconCircleCheck size={17} className={own.good} role="img" aria-label={t('stepGood')} />
          ) : (
            <IconCircleX size={17} className={own.bad} role="img" aria-label={t('stepBad')} />
          )}
          <Stack gap={0} style={{ minWidth: 0 }}>
            <Text size="sm" {...(one.ok ? {} : { fw: 600 })}>
              {t(`step.${one.step}`, { defaultValue: one.step })}
            </Text>
            {!one.ok && (
              <div role="alert">
                <Text size="sm">
                  {t([`stepRemedy.${one.code}`, `remedy.${one.code}`, `stepRemedy.${one.step}`])}
                </Text>
                {one.text && (
                  <Text size="xs" c="dimmed" className="breaks" lineClamp={4}>
                    {one.text}
                  </Text>
                )}
              </div>
            )}
          </Stack>
        </li>
      ))}
    </ul>
  );
}
