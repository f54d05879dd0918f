import { ActionIcon, Box, Button, Group, NumberInput, Stack, Text, Tooltip } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconPlus, IconTrash } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { addArm, moveArm, removeAt } from '../model/edits';
import { type Step, textOf, weightOf } from '../model/journey';
import { isPlain, type Plain } from '../model/render';
import type { Path } from '../model/surgery';
import { ConditionField } from './ConditionField';
import { ChoiceField, DurationField, TextField } from './fields';
import { useOption, useSetAt, useTools } from './useEditing';

export function BranchForm({ step }: { step: Step }) {
  const { t } = useTranslation('journeys');
  const tools = useTools();
  const setAt = useSetAt();
  const arms: unknown[] = Array.isArray(step.value.branch) ? step.value.branch : [];
  const conditions = arms.filter((one) => isPlain(one) && !('else' in one)).length;
  return (
    <>
      {arms.map((one, at) => {
        const arm: Plain = isPlain(one) ? one : {};
        const path = [...step.path, 'branch', at];
        const isElse = 'else' in arm;
        return (
          <Arm
            // biome-ignore lint/suspicious/noArrayIndexKey: arms have no names; their place is what they are
            key={at}
            path={path}
            first={at === 0}
            last={at >= conditions - 1}
            isFixed={isElse || conditions < 2}
          >
            {isElse ? (
              <Text size="xs" c="dimmed">
                {t('way.elseText')}
              </Text>
            ) : (
              <ConditionField
                label={at === 0 ? t('way.if') : t('way.elseIf')}
                value={arm.if}
                names={tools.names}
                optional={false}
                commit={(next) => setAt([...path, 'if'], next)}
              />
            )}
          </Arm>
        );
      })}
      <Button
        size="compact-xs"
        variant="subtle"
        leftSection={<IconPlus size={13} aria-hidden />}
        onClick={() =>
          tools.change(addArm(tools.text(), step, { if: { 'contact.email': { exists: true } } }))
        }
        style={{ alignSelf: 'start' }}
      >
        {t('way.addIf')}
      </Button>
    </>
  );
}

export function SplitForm({ step }: { step: Step }) {
  const { t } = useTranslation('journeys');
  const tools = useTools();
  const set = useOption(step);
  const setAt = useSetAt();
  const arms: unknown[] = Array.isArray(step.value.split) ? step.value.split : [];
  return (
    <>
      {arms.map((one, at) => {
        const arm: Plain = isPlain(one) ? one : {};
        const path = [...step.path, 'split', at];
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a variant's name is what is being changed
          <Arm key={at} path={path} first={at === 0} last={at === arms.length - 1} isFixed={arms.length < 3}>
            <Group gap={6} wrap="nowrap" align="flex-end">
              <TextField
                label={t('field.variant')}
                value={textOf(arm.variant) ?? String.fromCharCode(65 + at)}
                required
                commit={(next) => setAt([...path, 'variant'], next)}
              />
              <NumberInput
                size="xs"
                label={t('field.weight')}
                min={0}
                max={10_000}
                value={weightOf(arm.weight)}
                onChange={(next) => typeof next === 'number' && setAt([...path, 'weight'], next)}
                w={90}
              />
            </Group>
          </Arm>
        );
      })}
      <Button
        size="compact-xs"
        variant="subtle"
        leftSection={<IconPlus size={13} aria-hidden />}
        disabled={arms.length >= 26}
        onClick={() =>
          tools.change(
            addArm(tools.text(), step, { variant: String.fromCharCode(65 + arms.length), weight: 50 }),
          )
        }
        style={{ alignSelf: 'start' }}
      >
        {t('way.addVariant')}
      </Button>
      <ChoiceField
        label={t('field.by')}
        value={textOf(step.value.by) ?? 'contact'}
        options={[
          { value: 'contact', label: t('by.contact') },
          { value: 'account', label: t('by.account') },
        ]}
        commit={(next) => set('by', next === 'contact' ? undefined : next)}
      />
      <TextField
        label={t('field.experiment')}
        value={textOf(step.value.experiment)}
        commit={(next) => set('experiment', next)}
      />
    </>
  );
}

export function WaitForForm({ step }: { step: Step }) {
  const { t } = useTranslation('journeys');
  const tools = useTools();
  const set = useOption(step);
  const { wait_for: awaited, timeout } = step.value;
  const list: unknown[] | undefined = Array.isArray(awaited) ? awaited : undefined;
  const things = list ?? [awaited];
  return (
    <>
      {things.map((one, at) => {
        const thing: Plain = isPlain(one) ? one : {};
        const path = list === undefined ? [...step.path, 'wait_for'] : [...step.path, 'wait_for', at];
        const fields = <AwaitedFields key="fields" thing={thing} path={path} />;
        return list === undefined ? (
          <Box key="only">{fields}</Box>
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: what is awaited has no name; its place is what it is
          <Arm key={at} path={path} first={at === 0} last={at === list.length - 1} isFixed={list.length < 2}>
            {fields}
          </Arm>
        );
      })}
      {list !== undefined && (
        <Button
          size="compact-xs"
          variant="subtle"
          leftSection={<IconPlus size={13} aria-hidden />}
          disabled={list.length >= 16}
          onClick={() => tools.change(addArm(tools.text(), step, { event: 'Email Opened' }))}
          style={{ alignSelf: 'start' }}
        >
          {t('way.addAwaited')}
        </Button>
      )}
      <DurationField label={t('field.timeout')} value={timeout} commit={(next) => set('timeout', next)} />
    </>
  );
}

function AwaitedFields({ thing, path }: { thing: Plain; path: Path }) {
  const { t } = useTranslation('journeys');
  const { names } = useTools();
  const setAt = useSetAt();
  const isCondition = thing.if !== undefined;
  // The steps of the way stay with it, whatever is awaited.
  const way = Object.fromEntries(Object.entries(thing).filter(([key]) => key === 'then'));
  return (
    <Stack gap={6}>
      <ChoiceField
        label={t('way.awaited')}
        value={isCondition ? 'if' : 'event'}
        options={[
          { value: 'event', label: t('way.anEvent') },
          { value: 'if', label: t('way.aCondition') },
        ]}
        commit={(next) =>
          setAt(path, next === 'if' ? { if: { engaged: '30d' }, ...way } : { event: 'Replied', ...way })
        }
      />
      {isCondition ? (
        <ConditionField
          label={t('way.if')}
          value={thing.if}
          names={names}
          optional={false}
          commit={(next) => setAt([...path, 'if'], next)}
        />
      ) : (
        <>
          <TextField
            label={t('field.event')}
            value={textOf(thing.event)}
            names={names.events}
            required
            commit={(next) => setAt([...path, 'event'], next)}
          />
          <ConditionField
            label={t('field.where')}
            value={thing.where}
            names={names}
            commit={(next) => setAt([...path, 'where'], next)}
          />
        </>
      )}
    </Stack>
  );
}

type ArmProps = { path: Path; first: boolean; last: boolean; isFixed: boolean; children: ReactNode };

/** One of the ways of a step, with what can be done to it. */
function Arm({ path, first, last, isFixed, children }: ArmProps) {
  const { t } = useTranslation('journeys');
  const { text, change } = useTools();
  return (
    <Box p={8} bd="1px solid var(--relance-line)" style={{ borderRadius: 8 }}>
      {children}
      {!isFixed && (
        <Group gap={2} justify="flex-end" mt={4}>
          <Tooltip label={t('way.up')}>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="sm"
              disabled={first}
              aria-label={t('way.up')}
              onClick={() => change(moveArm(text(), path, -1))}
            >
              <IconArrowUp size={14} aria-hidden />
            </ActionIcon>
          </Tooltip>
          <Tooltip label={t('way.down')}>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="sm"
              disabled={last}
              aria-label={t('way.down')}
              onClick={() => change(moveArm(text(), path, 1))}
            >
              <IconArrowDown size={14} aria-hidden />
            </ActionIcon>
          </Tooltip>
          <Tooltip label={t('way.remove')}>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="sm"
              aria-label={t('way.remove')}
              onClick={() => change(removeAt(text(), path))}
            >
              <IconTrash size={14} aria-hidden />
            </ActionIcon>
          </Tooltip>
        </Group>
      )}
    </Box>
  );
}
