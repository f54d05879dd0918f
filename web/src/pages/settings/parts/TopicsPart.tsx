import { Stack } from '@mantine/core';
import { Consent } from '../sections/Consent';
import { Topics } from '../sections/Topics';

/** What contacts choose, and how they say yes. */
export function TopicsPart() {
  return (
    <Stack gap="md">
      <Topics />
      <Consent />
    </Stack>
  );
}
