import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import i18next from 'i18next';
import { useTranslation } from 'react-i18next';
import { failureOf } from '../api/problem';

/** What went wrong, in words; what the server said in detail stands below when there are words of our own. */
export function problemWords(error: unknown): { title: string; detail: string | undefined } {
  const { problem, status } = failureOf(error);
  const key = `problem.${problem.code}`;
  const known = i18next.exists(key, { ns: 'shell' });
  const fallback = status === 0 ? 'problem.unreachable' : 'problem.failed';
  if (problem.code === 'forbidden') {
    // Which word of the server is missing says nothing to a person; whom to ask does.
    return {
      title: i18next.t('problem.forbidden', { ns: 'shell' }),
      detail: i18next.t('forbiddenText', { ns: 'shell' }),
    };
  }
  return {
    title: i18next.t(known ? key : fallback, { ns: 'shell' }),
    detail: status === 0 && !known ? undefined : problem.detail,
  };
}

type Props = {
  error: unknown;
  /** Tries again what failed. */
  retry?: (() => void) | undefined;
};

/** A failure in the place of what could not be shown or done. */
export function ProblemNote({ error, retry }: Props) {
  const { t } = useTranslation('shell');
  const { title, detail } = problemWords(error);
  const isForbidden = failureOf(error).problem.code === 'forbidden';
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle aria-hidden />} title={title} role="alert">
      <Stack gap="xs" align="flex-start">
        {detail !== undefined && detail !== title && (
          <Text size="sm" className="breaks" style={{ whiteSpace: 'pre-wrap' }}>
            {detail}
          </Text>
        )}
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
