import { Box, PasswordInput, Stack, Text } from '@mantine/core';
import { type KeyboardEvent, type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import classes from './AccessCard.module.css';
import { PASSWORD_CHARS_MIN, type Strength, strength } from './strength';

type Props = {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** Tells the browser's password manager whether to fill in a known one or to offer a new one. */
  kind: 'current-password' | 'new-password';
  /** A word on how hard it is to guess; the texts are what it should not consist of. */
  rated?: string[];
  error?: ReactNode;
  autoFocus?: boolean;
};

/** A password: can be shown, and says when Caps Lock is on. */
export function PasswordField({ label, value, onChange, kind, rated, error, autoFocus = false }: Props) {
  const { t } = useTranslation('access');
  const [caps, setCaps] = useState(false);
  const [shown, setShown] = useState(false);
  const press = (event: KeyboardEvent<HTMLInputElement>) => setCaps(event.getModifierState('CapsLock'));
  return (
    <Stack gap={6}>
      <PasswordInput
        label={label}
        name={kind}
        autoComplete={kind}
        required
        withAsterisk={false}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        onKeyDown={press}
        onKeyUp={press}
        onBlur={() => setCaps(false)}
        visible={shown}
        onVisibilityChange={setShown}
        visibilityToggleButtonProps={{
          'aria-label': shown ? t('password.hide') : t('password.show'),
          tabIndex: 0,
        }}
        error={error}
        data-autofocus={autoFocus || undefined}
        autoFocus={autoFocus}
      />
      {caps && (
        <Text size="xs" role="status">
          {t('password.caps')}
        </Text>
      )}
      {rated !== undefined && <Rating value={value} own={rated} />}
    </Stack>
  );
}

const BARS: Record<Strength, { on: number; colour: string }> = {
  short: { on: 1, colour: 'var(--mantine-color-red-6)' },
  weak: { on: 2, colour: 'var(--mantine-color-orange-6)' },
  fair: { on: 3, colour: 'var(--mantine-color-lime-7)' },
  strong: { on: 4, colour: 'var(--mantine-color-green-7)' },
};

function Rating({ value, own }: { value: string; own: string[] }) {
  const { t } = useTranslation('access');
  const rate = strength(value, own);
  const { on, colour } = BARS[rate];
  return (
    <Stack gap={4}>
      <Box className={classes.bars} aria-hidden style={{ '--bar': colour }}>
        {[1, 2, 3, 4].map((bar) => (
          <span key={bar} className={classes.bar} data-on={(value !== '' && bar <= on) || undefined} />
        ))}
      </Box>
      <Text size="xs" c="dimmed" aria-live="polite">
        {value === ''
          ? t('password.rule', { count: PASSWORD_CHARS_MIN })
          : t(`password.rate.${rate}`, { count: PASSWORD_CHARS_MIN })}
      </Text>
    </Stack>
  );
}
