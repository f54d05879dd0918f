import { NumberInput, Select, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Place, Tls } from '../calls';
import own from '../Mailboxes.module.css';

const KINDS: Tls[] = ['implicit', 'starttls', 'none'];
const PORTS: Record<'imap' | 'smtp', Record<Tls, number>> = {
  imap: { implicit: 993, starttls: 143, none: 143 },
  smtp: { implicit: 465, starttls: 587, none: 25 },
};
const PORT_MAX = 65_535;

type Props = { label: string; kind: 'imap' | 'smtp'; value: Place; onChange: (value: Place) => void };

/** A server: its name, how it is reached; the usual port follows the encryption. */
export function Server({ label, kind, value, onChange }: Props) {
  const { t } = useTranslation('mailboxes');
  const setTls = (tls: Tls) =>
    onChange({
      ...value,
      tls,
      port: value.port === PORTS[kind][value.tls] ? PORTS[kind][tls] : value.port,
    });
  return (
    // biome-ignore lint/a11y/useSemanticElements: one line of three fields
    <div className={own.servers} role="group" aria-label={label}>
      <TextInput
        size="xs"
        label={label}
        placeholder={`${kind}.example.com`}
        value={value.host}
        onChange={(event) => onChange({ ...value, host: event.currentTarget.value.trim() })}
      />
      <Select
        size="xs"
        label={t('tls')}
        data={KINDS.map((one) => ({ value: one, label: t(`tlsIs.${one}`) }))}
        value={value.tls}
        allowDeselect={false}
        onChange={(tls) => setTls((tls ?? value.tls) as Tls)}
      />
      <NumberInput
        size="xs"
        label={t('port')}
        min={1}
        max={PORT_MAX}
        hideControls
        allowDecimal={false}
        value={value.port}
        onChange={(port) => onChange({ ...value, port: Number(port) || value.port })}
      />
    </div>
  );
}
