import { Container } from '@mantine/core';
import type { ErrorComponentProps } from '@tanstack/react-router';
import { ProblemNote } from '../shared/ProblemNote';

/** In place of a page that could not be shown; the rest of the interface stays. */
export function PageFailure({ error, reset }: ErrorComponentProps) {
  return (
    <Container size="sm" py="xl">
      <ProblemNote error={error} retry={reset} />
    </Container>
  );
}
