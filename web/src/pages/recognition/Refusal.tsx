/** Why the server refused, in words: of a mailbox what its own page would say, with the way there. */
import { Alert, Anchor, Stack, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { failureOf } from '../../api/problem';
import { ProblemNote } from '../../shared/ProblemNote';
import { refusedField } from './api';

export function Refusal({ error, retry }: { error: unknown; retry?: () => void }) {
  const { problem } = failureOf(error);
  const { cause } = problem;
  if (problem.code === 'mailbox_unreadable' && typeof cause === 'string') {
    return <Unreadable code={cause} detail={problem.detail} />;
  }
  // What is wrong with a field stands at the field.
  return refusedField(error)?.field.startsWith('when') ? null : <ProblemNote error={error} retry={retry} />;
}

/** A mailbox that could not be read, or a trial that did not end. */
export function Unreadable({ code, detail }: { code: string; detail?: string | null | undefined }) {
  const { t, i18n } = useTranslation(['recognition', 'mailboxes', 'problems']);
  const keys = [
    `recognition:cause.${code}`,
    `mailboxes:remedy.${code}`,
    `mailboxes:stepRemedy.${code}`,
    `problems:${code}.remedy`,
  ];
  const known = keys.find((key) => i18n.exists(key));
  const isOfServer = code === 'failed' || code === 'store_failed';
  return (
    <Alert
      color="red"
      variant="light"
      role="alert"
      icon={<IconAlertTriangle aria-hidden />}
      title={t('recognition:failed')}
    >
      <Stack gap={6} align="flex-start">
        {known !== undefined && <Text size="sm">{t(known)}</Text>}
        {known === undefined && detail != null && (
          <Text size="sm" className="breaks" lang="en">
            {detail}
          </Text>
        )}
        {!isOfServer && (
          <Anchor
            size="sm"
            c="inherit"
            underline="always"
            renderRoot={(props) => <Link {...props} to="/settings/mailboxes" />}
          >
            {t('recognition:toMailboxes')}
          </Anchor>
        )}
      </Stack>
    </Alert>
  );
}
