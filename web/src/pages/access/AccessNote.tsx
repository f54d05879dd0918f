import { Alert } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import i18next from 'i18next';
import { failureOf } from '../../api/problem';
import { ProblemNote } from '../../shared/ProblemNote';

/** Why something about accounts was refused: a sentence of ours where there is one, else what the server said. */
export function AccessNote({ error }: { error: unknown }) {
  const words = accessWords(error);
  if (words === undefined) {
    return <ProblemNote error={error} />;
  }
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle aria-hidden />} role="alert">
      {words}
    </Alert>
  );
}

export function accessWords(error: unknown): string | undefined {
  const { code, why } = failureOf(error).problem;
  const keys = [`problem.${code}.${String(why)}`, `problem.${code}`];
  const known = keys.find((key) => i18next.exists(key, { ns: 'access' }));
  const words: unknown = known === undefined ? undefined : i18next.t(known, { ns: 'access' });
  return typeof words === 'string' ? words : undefined;
}
