import { Stack } from '@mantine/core';
import { Caps } from '../sections/Caps';
import { QuietHours } from '../sections/QuietHours';

/** When, and how often, a contact may be written to. */
export function Rules() {
  return (
    <Stack gap="md">
      <QuietHours />
      <Caps />
    </Stack>
  );
}
