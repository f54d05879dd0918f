/** By what mails like one are told: one way, and the text that goes with it. */
import { Radio, Stack, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { FIELDS, type Field, refusedField, TEXT_MAX, type Texts, type When } from './api';

export type Asked = { by: Field; texts: Texts };

/** The rule's way that is offered first: whom it went to, where that is known. */
export function firstWay(texts: Texts): Field {
  return (['to', 'domain', 'subject', 'file', 'from'] as const).find((one) => texts[one] !== '') ?? 'to';
}

export function whenOf({ by, texts }: Asked): When | undefined {
  const text = texts[by].trim();
  return text === '' ? undefined : { [by]: text.slice(0, TEXT_MAX) };
}

type Props = { asked: Asked; change: (asked: Asked) => void; error?: unknown; label?: string };

export function WhenFields({ asked: { by, texts }, change, error, label }: Props) {
  const { t, i18n } = useTranslation('recognition');
  const refused = refusedField(error);
  const key = `wrong.${refused?.code}`;
  const isHere = refused?.field.startsWith('when');
  return (
    <Stack gap="sm">
      <Radio.Group
        label={label ?? t('rule.by')}
        value={by}
        onChange={(next) => change({ by: FIELDS.find((one) => one === next) ?? by, texts })}
      >
        <Stack gap={8} mt={6}>
          {FIELDS.map((one) => (
            <Radio key={one} value={one} label={t(`when.${one}`)} />
          ))}
        </Stack>
      </Radio.Group>
      <TextInput
        aria-label={t(`when.${by}`)}
        description={t(`rule.hint.${by}`)}
        maxLength={TEXT_MAX}
        value={texts[by]}
        error={isHere && i18n.exists(key, { ns: 'recognition' }) ? t(key) : undefined}
        onChange={(event) => change({ by, texts: { ...texts, [by]: event.currentTarget.value } })}
      />
    </Stack>
  );
}
