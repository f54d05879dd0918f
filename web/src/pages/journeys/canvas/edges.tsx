import { IconPlus } from '@tabler/icons-react';
import { BaseEdge, type Edge, EdgeLabelRenderer, type EdgeProps, type EdgeTypes } from '@xyflow/react';
import { memo } from 'react';
import { useTranslation } from 'react-i18next';
import { buttonAt, edgePath, labelAt, type PlacedEdge, type Point } from '../model/layout';
import classes from './Canvas.module.css';
import { useCanvas } from './context';

export type WayData = {
  placed: PlacedEdge;
  label: string | undefined;
  /** The button that inserts is offered; while a step is being moved, where it may go. */
  plus: 'none' | 'insert' | 'put';
  isLit: boolean;
};
export type WayEdge = Edge<WayData, 'way'>;

const at = (point: Point) => ({ transform: `translate(-50%, -50%) translate(${point.x}px, ${point.y}px)` });

const WayView = memo(function WayView({ id, data }: EdgeProps<WayEdge>) {
  const { t } = useTranslation('journeys');
  const { plus } = useCanvas();
  if (data === undefined) {
    return null;
  }
  const { placed, label } = data;
  const place = placed.place;
  return (
    <>
      <BaseEdge
        id={id}
        path={edgePath(placed)}
        style={data.isLit ? { stroke: 'var(--mantine-color-green-filled)', strokeWidth: 2 } : {}}
      />
      {(label !== undefined || data.plus !== 'none') && (
        <EdgeLabelRenderer>
          {label !== undefined && (
            <div className={classes.label} style={at(labelAt(placed))} title={label}>
              {label}
            </div>
          )}
          {data.plus !== 'none' && place !== undefined && (
            <button
              type="button"
              className={`${classes.plus} nopan nodrag`}
              style={at(buttonAt(placed))}
              data-edge={id}
              data-placing={data.plus === 'put' || undefined}
              tabIndex={data.plus === 'put' ? 0 : -1}
              aria-label={data.plus === 'put' ? t('canvas.putHere') : t('canvas.insertHere')}
              onClick={(event) => plus(place, event.currentTarget)}
            >
              <IconPlus size={13} stroke={2.4} aria-hidden />
            </button>
          )}
        </EdgeLabelRenderer>
      )}
    </>
  );
});

export const edgeTypes: EdgeTypes = { way: WayView };
