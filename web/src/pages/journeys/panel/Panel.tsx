import { ActionIcon, Alert, Button, Divider, Group, Menu, Stack, Text, Tooltip } from '@mantine/core';
import { IconCopy, IconDots, IconTrash, IconX } from '@tabler/icons-react';
import { useEffect, useMemo, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { TextProblem } from '../calls';
import { lookOf } from '../canvas/kinds';
import { EXITS, findStep, type Journey, type Step, TRIGGER } from '../model/journey';
import { Speaker } from '../model/say';
import { EnrollForm, MoveForm, NotifyForm, PromoForm, SetForm, TaskForm } from './ActForms';
import { YamlField } from './ConditionField';
import { DurationField, TextField } from './fields';
import { ExitsForm, HeadForm, TriggerForm } from './HeadForms';
import classes from './Panel.module.css';
import { SendForm } from './SendForm';
import { useOption } from './useEditing';
import { WaitForm } from './WaitForms';
import { BranchForm, SplitForm, WaitForForm } from './WayForms';

/** The name of the panel for the journey as a whole. */
export const HEAD = ':head';

type Props = {
  journey: Journey;
  selected: string;
  problems: readonly TextProblem[];
  close: () => void;
  goToLine: (line: number) => void;
  act: { remove: (step: Step) => void; copy: (step: Step) => void; move: (step: Step) => void };
};

/** The form of what is selected on the canvas. */
export function Panel({ journey, selected, problems, close, goToLine, act }: Props) {
  const { t, i18n } = useTranslation('journeys');
  const speaker = useMemo(() => new Speaker(i18n.t, i18n.language), [i18n.t, i18n.language]);
  const step = findStep(journey, selected);
  const box = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the panel begins at its top for each step
  useEffect(() => {
    if (box.current !== null) {
      box.current.scrollTop = 0;
    }
  }, [selected]);
  const title =
    selected === TRIGGER
      ? t('panel.trigger')
      : selected === EXITS
        ? t('panel.exits')
        : step === undefined
          ? t('panel.head')
          : t(`kind.${step.kind}`);
  const said = step === undefined ? undefined : speaker.sentence(speaker.step(step));
  const look = step === undefined ? undefined : lookOf(step.kind, step.value.send);
  return (
    <aside
      className={classes.panel}
      ref={box}
      aria-label={title}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && !event.defaultPrevented) {
          close();
        }
      }}
    >
      <Group justify="space-between" wrap="nowrap" className={classes.top}>
        <Group gap={6} wrap="nowrap" style={{ minWidth: 0 }}>
          {look !== undefined && <look.icon size={17} aria-hidden />}
          <Text fw={600} size="sm" truncate>
            {title}
          </Text>
        </Group>
        <Group gap={2} wrap="nowrap">
          {step !== undefined && (
            <>
              <Tooltip label={t('panel.copy')}>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={t('panel.copy')}
                  onClick={() => act.copy(step)}
                >
                  <IconCopy size={16} aria-hidden />
                </ActionIcon>
              </Tooltip>
              <Tooltip label={t('panel.remove')}>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={t('panel.remove')}
                  onClick={() => act.remove(step)}
                >
                  <IconTrash size={16} aria-hidden />
                </ActionIcon>
              </Tooltip>
              <Menu position="bottom-end">
                <Menu.Target>
                  <ActionIcon variant="subtle" color="gray" aria-label={t('panel.more')}>
                    <IconDots size={16} aria-hidden />
                  </ActionIcon>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item onClick={() => act.move(step)}>{t('panel.move')}</Menu.Item>
                  <Menu.Item onClick={() => goToLine(step.line)}>
                    {t('panel.line', { line: step.line })}
                  </Menu.Item>
                </Menu.Dropdown>
              </Menu>
            </>
          )}
          <ActionIcon variant="subtle" color="gray" aria-label={t('panel.close')} onClick={close}>
            <IconX size={16} aria-hidden />
          </ActionIcon>
        </Group>
      </Group>
      <Stack gap="sm" p="sm" key={selected}>
        {said !== undefined && (
          <Text size="xs" c="dimmed" className="breaks" lineClamp={4}>
            {said}
          </Text>
        )}
        {problems.map((problem) => (
          <Alert key={`${problem.path}:${problem.what}`} color="red" variant="light" p="xs">
            <Text size="xs" className="breaks">
              {problem.message ?? problem.what}
            </Text>
            <Text size="xs" c="dimmed" className="breaks">
              {problem.remedy}
            </Text>
            <Button size="compact-xs" variant="subtle" color="red" onClick={() => goToLine(problem.line)}>
              {t('panel.line', { line: problem.line })}
            </Button>
          </Alert>
        ))}
        {selected === TRIGGER && <TriggerForm journey={journey} />}
        {selected === EXITS && <ExitsForm journey={journey} />}
        {selected === HEAD && <HeadForm journey={journey} />}
        {step !== undefined && (
          <>
            <StepForm step={step} />
            <Divider />
            <StepCommon step={step} />
          </>
        )}
      </Stack>
    </aside>
  );
}

function StepForm({ step }: { step: Step }) {
  const { t } = useTranslation('journeys');
  switch (step.kind) {
    case 'send':
      return <SendForm step={step} />;
    case 'wait':
      return <WaitForm step={step} />;
    case 'wait_for':
      return <WaitForForm step={step} />;
    case 'branch':
      return <BranchForm step={step} />;
    case 'split':
      return <SplitForm step={step} />;
    case 'task':
      return <TaskForm step={step} />;
    case 'notify':
      return <NotifyForm step={step} />;
    case 'set':
      return <SetForm step={step} />;
    case 'move':
      return <MoveForm step={step} />;
    case 'promo':
      return <PromoForm step={step} />;
    case 'enroll':
      return <EnrollForm step={step} />;
    case 'stop':
      return (
        <Text size="xs" c="dimmed">
          {t('panel.stopText')}
        </Text>
      );
    case 'unknown':
      return <YamlField label={t('panel.unknown')} value={step.value} commit={() => undefined} />;
  }
}

/** What every step may have. */
function StepCommon({ step }: { step: Step }) {
  const { t } = useTranslation('journeys');
  const set = useOption(step);
  return (
    <>
      <TextField
        label={t('field.id')}
        description={t('field.idHint')}
        value={step.named ? step.key : undefined}
        placeholder={step.key}
        commit={(next) => set('id', next)}
      />
      <DurationField label={t('field.late')} value={step.value.late} commit={(next) => set('late', next)} />
    </>
  );
}
