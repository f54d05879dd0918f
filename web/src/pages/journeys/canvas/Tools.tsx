import { ActionIcon, Group, Tooltip } from '@mantine/core';
import {
  IconArrowBackUp,
  IconArrowForwardUp,
  IconFocusCentered,
  IconMinus,
  IconPlus,
} from '@tabler/icons-react';
import type { ReactFlowInstance } from '@xyflow/react';
import { useTranslation } from 'react-i18next';
import classes from './Canvas.module.css';
import type { AnyNode } from './drawn';
import type { WayEdge } from './edges';
import type { Editing } from './types';

/** Nearer, farther, all of it; back and forth. */
export function Tools({
  flow,
  editing,
  begin,
}: {
  flow: React.RefObject<ReactFlowInstance<AnyNode, WayEdge> | null>;
  editing: Editing | undefined;
  begin: () => void;
}) {
  const { t } = useTranslation('journeys');
  const tools = [
    { label: t('canvas.zoomOut'), icon: IconMinus, run: () => flow.current?.zoomOut({ duration: 120 }) },
    { label: t('canvas.zoomIn'), icon: IconPlus, run: () => flow.current?.zoomIn({ duration: 120 }) },
    { label: t('canvas.fit'), icon: IconFocusCentered, run: begin },
    ...(editing === undefined
      ? []
      : [
          { label: t('canvas.undo'), icon: IconArrowBackUp, run: editing.undo },
          { label: t('canvas.redo'), icon: IconArrowForwardUp, run: editing.redo },
        ]),
  ];
  return (
    <Group className={classes.tools}>
      {tools.map(({ label, icon: Icon, run }) => (
        <Tooltip key={label} label={label}>
          <ActionIcon variant="subtle" color="gray" aria-label={label} onClick={run}>
            <Icon size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      ))}
    </Group>
  );
}
