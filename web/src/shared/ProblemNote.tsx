import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import i18next from 'i18next';
import { useTranslation } from 'react-i18next';
import { failureOf } from '../api/problem';

/** Codes of problems whose detail names what no catalogue can know: a field, a line, a limit, the words of another server. */
const NAMING = new Set([
  ...[
    'failed',
    'malformed',
    'exists',
    'in_use',
    'too_large',
    'too_many',
    'too_long',
    'bad_query',
    'wrong_id',
  ],
  ...['bad_setting', 'bad_settings', 'bad_mailbox', 'bad_rule', 'bad_field', 'bad_value', 'bad_word'],
  ...['bad_files', 'bad_mapping', 'bad_preferences', 'bad_preview', 'bad_choice', 'bad_until'],
  ...['invalid_journey', 'invalid_scenario', 'template_failed', 'storm', 'too_much', 'not_a_table'],
  ...['mailbox_unreadable', 'mail_unreadable', 'no_mail', 'no_token', 'connect_again', 'wrong_address'],
  ...['access_denied', 'oauth_client', 'oauth_unreachable', 'oauth_not_set_up', 'no_secret_key'],
  ...['oidc_refused', 'oidc_unreachable', 'second_factor', 'unmade', 'not_taken', 'missing_field'],
  ...['import_failed', 'import_folder', 'export_failed', 'all_rejected', 'unknown_language'],
]);

export type ProblemWords = {
  title: string;
  /** What to do, in the reader's language. */
  remedy: string | undefined;
  /** What the server says, in English, where it names what our words do not. */
  detail: string | undefined;
};

/** What went wrong and what to do, in words. */
export function problemWords(error: unknown): ProblemWords {
  const { problem, status } = failureOf(error);
  const isKnown = i18next.exists(`${problem.code}.title`, { ns: 'problems' });
  const code = isKnown ? problem.code : status === 0 ? 'unreachable' : 'failed';
  const title = i18next.t(`${code}.title`, { ns: 'problems' });
  const isNamed = NAMING.has(code) && problem.detail !== undefined && problem.detail !== title;
  // The English detail ends with the remedy already.
  const hasRemedy = !isNamed || !i18next.language.startsWith('en');
  return {
    title,
    remedy: hasRemedy ? i18next.t(`${code}.remedy`, { ns: 'problems' }) : undefined,
    detail: isNamed ? problem.detail : undefined,
  };
}

/** What to do and what the server named, one below the other. */
export function ProblemLines({ remedy, detail }: Omit<ProblemWords, 'title'>) {
  return (
    <>
      {remedy !== undefined && (
        <Text size="sm" className="breaks">
          {remedy}
        </Text>
      )}
      {detail !== undefined && (
        <Text
          size={remedy === undefined ? 'sm' : 'xs'}
          {...(remedy === undefined ? {} : { c: 'dimmed' })}
          className="breaks"
          lang="en"
          style={{ whiteSpace: 'pre-wrap' }}
        >
          {detail}
        </Text>
      )}
    </>
  );
}

type Props = {
  error: unknown;
  /** Tries again what failed. */
  retry?: (() => void) | undefined;
};

/** A failure in the place of what could not be shown or done. */
export function ProblemNote({ error, retry }: Props) {
  const { t } = useTranslation('shell');
  const { title, remedy, detail } = problemWords(error);
  const isForbidden = failureOf(error).problem.code === 'forbidden';
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle aria-hidden />} title={title} role="alert">
      <Stack gap="xs" align="flex-start">
        <ProblemLines remedy={remedy} detail={detail} />
        {retry !== undefined && !isForbidden && (
          <Group>
            <Button size="xs" variant="light" color="red" onClick={() => retry()}>
              {t('retry')}
            </Button>
          </Group>
        )}
      </Stack>
    </Alert>
  );
}
