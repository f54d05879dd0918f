import { IconAlertTriangle, IconBolt, IconDoorExit } from '@tabler/icons-react';
import { Handle, type Node, type NodeProps, type NodeTypes, Position } from '@xyflow/react';
import { type CSSProperties, memo } from 'react';
import { useTranslation } from 'react-i18next';
import type { NodeShape } from '../model/layout';
import type { Said } from '../model/say';
import classes from './Canvas.module.css';
import { useCanvas } from './context';
import { type Look, lookOf } from './kinds';
import type { Figure } from './types';

export type StepData = {
  shape: NodeShape;
  said: Said;
  kind: Parameters<typeof lookOf>[0];
  channel: unknown;
  problems: number;
  figures: readonly Figure[] | undefined;
  isSelected: boolean;
  /** Where the one tab stop of the canvas is. */
  isActive: boolean;
  mark: 'lit' | 'passed' | undefined;
};
export type StepNode = Node<StepData, 'step'>;

const SHAPES: Partial<Record<NodeShape, Look>> = {
  trigger: { icon: IconBolt, color: 'yellow' },
  exits: { icon: IconDoorExit, color: 'red' },
};

const StepView = memo(function StepView({ id, data }: NodeProps<StepNode>) {
  const { t } = useTranslation('journeys');
  const { select, focused } = useCanvas();
  const look = SHAPES[data.shape] ?? lookOf(data.kind, data.channel);
  const { icon: Icon, color } = look;
  const label = [
    data.said.head,
    data.said.rest,
    data.problems > 0 ? t('canvas.problems', { count: data.problems }) : '',
  ]
    .filter((one) => one !== '')
    .join(', ');
  const colors = {
    '--icon-color': `var(--mantine-color-${color}-light-color)`,
    '--icon-ground': `var(--mantine-color-${color}-light)`,
  } as CSSProperties;
  return (
    <>
      <Handle type="target" position={Position.Top} className={classes.handle} isConnectable={false} />
      <button
        type="button"
        className={`${classes.node} nopan`}
        data-node={id}
        data-shape={data.shape}
        data-selected={data.isSelected || undefined}
        data-lit={data.mark === 'lit' || undefined}
        data-passed={data.mark === 'passed' || undefined}
        // With figures its own text is its name.
        aria-label={data.figures === undefined || data.figures.length === 0 ? label : undefined}
        aria-pressed={data.isSelected}
        aria-current={data.mark === 'lit' ? 'step' : undefined}
        title={data.said.rest === '' ? data.said.head : `${data.said.head}\n${data.said.rest}`}
        tabIndex={data.isActive ? 0 : -1}
        onClick={() => select(id)}
        onFocus={() => focused(id)}
      >
        <span className={classes.line}>
          <span className={classes.icon} style={colors}>
            <Icon size={18} stroke={1.7} aria-hidden />
          </span>
          <span className={classes.words}>
            <span className={classes.head}>{data.said.head}</span>
            {data.said.rest !== '' && <span className={classes.rest}> · {data.said.rest}</span>}
          </span>
          {data.problems > 0 && (
            <span className={classes.badge} aria-hidden>
              <IconAlertTriangle size={12} />
              {data.problems}
            </span>
          )}
        </span>
        {data.figures !== undefined && data.figures.length > 0 && (
          <span className={classes.figures}>
            {data.figures.map((one) => (
              <span
                key={one.key}
                className={classes.figure}
                style={one.color ? { color: one.color } : undefined}
              >
                <b>{one.value}</b> {one.label}{' '}
              </span>
            ))}
          </span>
        )}
      </button>
      <Handle type="source" position={Position.Bottom} className={classes.handle} isConnectable={false} />
    </>
  );
});

const JoinView = memo(function JoinView() {
  return (
    <>
      <Handle type="target" position={Position.Top} className={classes.handle} isConnectable={false} />
      <div className={classes.join} />
      <Handle type="source" position={Position.Bottom} className={classes.handle} isConnectable={false} />
    </>
  );
});

const EndView = memo(function EndView() {
  const { t } = useTranslation('journeys');
  return (
    <>
      <Handle type="target" position={Position.Top} className={classes.handle} isConnectable={false} />
      <div className={classes.end}>{t('canvas.end')}</div>
    </>
  );
});

export const nodeTypes: NodeTypes = { step: StepView, join: JoinView, end: EndView };
