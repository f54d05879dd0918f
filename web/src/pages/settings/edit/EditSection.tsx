/** A section that is read at a glance and edited in its place. */
import { ActionIcon, Alert, Box, Button, Group, Kbd, Skeleton, Stack, Text, Tooltip } from '@mantine/core';
import { IconArrowBackUp, IconPencil } from '@tabler/icons-react';
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { ProblemNote } from '../../../shared/ProblemNote';
import { useMay } from '../../../shell/useSession';
import { Section } from '../Section';
import { asRaw } from '../sections/values';
import type { SectionName } from './calls';
import { Leave } from './Leave';
import { OriginNote } from './OriginNote';
import { otherProblems, problemOf } from './problems';
import { type Shape, useSection } from './useSection';

export type FormProps<Form> = {
  form: Form;
  set: (patch: Partial<Form>) => void;
  /** What is wrong with a field or, unless it is meant `exactly`, with what lies below it. */
  wrong: (field: string, exactly?: boolean) => string | undefined;
};

type Props<Form> = {
  section: SectionName;
  title: string;
  text?: ReactNode;
  shape: Shape<Form>;
  /** The value as it is read; of a long one, beside another, `only` what differs. */
  read: (form: Form, only?: (key: string) => boolean) => ReactNode;
  edit: (props: FormProps<Form>) => ReactNode;
  /** Fields that show their problems themselves; others stand above the form. */
  fields: readonly string[];
  /** What can be done beside editing, while nothing is edited. */
  actions?: ReactNode;
  /** Height while it is loading. */
  wait?: number;
};

export function EditSection<Form>(props: Props<Form>) {
  const { section, title, text, shape, read, edit, fields, actions } = props;
  const { t } = useTranslation('settings');
  const may = useMay();
  const state = useSection(section, title, shape);
  const { shown, form, isEditing } = state;
  const frame = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const was = useRef(false);
  useEffect(() => {
    if (isEditing && !was.current) {
      frame.current?.querySelector<HTMLElement>('input:not([type=hidden]), textarea, [role=switch]')?.focus();
    } else if (!isEditing && was.current) {
      opener.current?.focus();
    }
    was.current = isEditing;
  }, [isEditing]);
  // What is wrong is where the eyes and the focus go.
  // biome-ignore lint/correctness/useExhaustiveDependencies: other problems are another place to look at
  useEffect(() => {
    frame.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
  }, [state.problems]);

  const press = (event: KeyboardEvent) => {
    if (!isEditing || event.nativeEvent.isComposing) {
      return;
    }
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      state.save();
    } else if (event.key === 'Escape' && !event.defaultPrevented && !isOpenList(event.target)) {
      event.preventDefault();
      event.stopPropagation();
      state.cancel();
    }
  };

  if (shown === undefined || form === undefined) {
    return (
      <Section title={title} text={text}>
        {state.error ? (
          <ProblemNote error={state.error} retry={state.refetch} />
        ) : (
          <Skeleton height={props.wait ?? 96} />
        )}
      </Section>
    );
  }
  const wrong = (field: string, exactly?: boolean) => problemOf(state.problems, field, exactly);
  const others = otherProblems(state.problems, fields);
  return (
    <Section
      title={title}
      text={text}
      actions={
        !isEditing && (
          <Group gap={6} wrap="nowrap">
            {actions}
            {shown.origin === 'here' && may('settings') && (
              <Tooltip label={t('edit.back')}>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  size={30}
                  loading={state.isBusy}
                  onClick={state.reset}
                  aria-label={`${t('edit.back')}: ${title}`}
                >
                  <IconArrowBackUp size={17} aria-hidden />
                </ActionIcon>
              </Tooltip>
            )}
            {may('settings') && (
              <Button
                ref={opener}
                variant="default"
                size="xs"
                leftSection={<IconPencil size={14} aria-hidden />}
                onClick={state.edit}
                aria-label={`${t('edit.edit')}: ${title}`}
              >
                {t('edit.edit')}
              </Button>
            )}
          </Group>
        )
      }
    >
      <Box ref={frame} onKeyDown={press}>
        <Stack gap="md">
          {state.failure !== undefined && <ProblemNote error={state.failure} />}
          {isEditing && state.theirs !== undefined && (
            <Alert color="yellow" variant="light" role="alert" title={t('edit.conflict')}>
              <Stack gap="sm">
                <Text size="sm" className="breaks">
                  {state.theirs.changed_by
                    ? t('edit.conflictBy', { by: state.theirs.changed_by })
                    : t('edit.conflictText')}
                </Text>
                <Box component="section" aria-label={t('edit.theirs')}>
                  <Text size="xs" c="dimmed" mb={4}>
                    {t('edit.theirs')}
                  </Text>
                  {read(shape.read(state.theirs.value), differing(shape.read(state.theirs.value), form))}
                </Box>
                <Group gap="xs">
                  <Button size="xs" onClick={state.keepMine}>
                    {t('edit.keepMine')}
                  </Button>
                  <Button size="xs" variant="default" onClick={state.takeTheirs}>
                    {t('edit.takeTheirs')}
                  </Button>
                </Group>
              </Stack>
            </Alert>
          )}
          {others.length > 0 && (
            <Alert color="red" variant="light" role="alert">
              {others.map((one) => (
                <Text key={one} size="sm" className="breaks">
                  {one}
                </Text>
              ))}
            </Alert>
          )}
          {isEditing ? (
            <form
              noValidate
              onSubmit={(event) => {
                event.preventDefault();
                state.save();
              }}
            >
              <Stack gap="md">
                {edit({ form, set: (patch) => state.set({ ...form, ...patch }), wrong })}
                <Group gap="xs">
                  <Button
                    type="submit"
                    size="sm"
                    loading={state.isBusy}
                    disabled={!state.isChanged || state.theirs !== undefined}
                  >
                    {t('shell:save')}
                  </Button>
                  <Button variant="default" size="sm" onClick={state.cancel}>
                    {t('shell:cancel')}
                  </Button>
                  <Text size="xs" c="dimmed" visibleFrom="sm" ml={4}>
                    <Kbd size="xs">Ctrl</Kbd> <Kbd size="xs">Enter</Kbd> {t('edit.keySave')} ·{' '}
                    <Kbd size="xs">Esc</Kbd> {t('edit.keyCancel')}
                  </Text>
                </Group>
              </Stack>
            </form>
          ) : (
            <>
              {read(form)}
              <OriginNote shown={shown} />
            </>
          )}
        </Stack>
        <Leave isChanged={state.isChanged} />
      </Box>
    </Section>
  );
}

/** Whether the two differ in a field. */
function differing<Form>(one: Form, other: Form): (key: string) => boolean {
  const [left, right] = [asRaw(one), asRaw(other)];
  return (key) => JSON.stringify(left[key]) !== JSON.stringify(right[key]);
}

/** Escape closes an open list of choices first. */
function isOpenList(target: EventTarget): boolean {
  return (
    target instanceof HTMLElement &&
    (target.getAttribute('aria-expanded') === 'true' || target.closest('[role=dialog]') !== null)
  );
}
