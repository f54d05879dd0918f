/** A secret that is written and never read: whether there is one, a new one in its place, or none. */
import { Button, Group, Input, PasswordInput, Text } from '@mantine/core';
import { IconLock } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { asRaw } from './values';

export type Secret = { isSet: boolean; isRemoved: boolean; text: string };

export function readSecret(value: unknown): Secret {
  return { isSet: asRaw(value).set === true, isRemoved: false, text: '' };
}

/** As a part of what is sent: absent keeps, `null` takes away. */
export function writeSecret(name: string, { isRemoved, text }: Secret): Record<string, unknown> {
  if (text !== '') {
    return { [name]: text };
  }
  return isRemoved ? { [name]: null } : {};
}

type Props = { label: string; value: Secret; onChange: (value: Secret) => void; error?: string | undefined };

export function SecretField({ label, value, onChange, error }: Props) {
  const { t } = useTranslation('settings');
  const [isOpen, setOpen] = useState(false);
  if (value.isSet && !value.isRemoved && !isOpen) {
    return (
      <Input.Wrapper label={label} error={error}>
        <Group gap={6} mih={36}>
          <IconLock size={15} stroke={1.6} aria-hidden />
          <Text size="sm">{t('secret.set')}</Text>
          <Button
            variant="subtle"
            size="compact-xs"
            onClick={() => setOpen(true)}
            aria-label={`${t('secret.replace')}: ${label}`}
          >
            {t('secret.replace')}
          </Button>
          <Button
            variant="subtle"
            color="gray"
            size="compact-xs"
            onClick={() => onChange({ ...value, isRemoved: true })}
            aria-label={`${t('edit.remove')}: ${label}`}
          >
            {t('edit.remove')}
          </Button>
        </Group>
      </Input.Wrapper>
    );
  }
  return (
    <PasswordInput
      label={label}
      autoComplete="new-password"
      autoFocus={isOpen}
      placeholder={value.isRemoved ? t('secret.removed') : ''}
      visibilityToggleButtonProps={{ 'aria-label': t('secret.show') }}
      value={value.text}
      onChange={(event) => onChange({ ...value, text: event.currentTarget.value })}
      error={error}
    />
  );
}
