import { Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { LedgerLine } from '../documents/api';

/** A reason's public code in words; of a code without words the code. */
export function useReason(): (code: string | null | undefined) => string {
  const { t, i18n } = useTranslation('contacts');
  return (code) => {
    // `too_many` would be taken for a form of number.
    const key = `reason.${code?.replace('_many', 'Many')}`;
    return code === undefined || code === null ? '' : i18n.exists(key, { ns: 'contacts' }) ? t(key) : code;
  };
}

/** What a line of the ledger says: a sentence of the server's, in the reader's language. */
export function LedgerWords({ line }: { line: LedgerLine }) {
  return (
    <Text size="sm" className="breaks" lineClamp={6}>
      {line.sentence}
    </Text>
  );
}
