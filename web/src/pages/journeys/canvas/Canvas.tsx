/**
 * A journey as a picture: what begins it, its steps and ways, what ends it. To read, or with `editing` to build.
 *
 * By keyboard: the arrows go from node to node, Enter opens, `a` adds after, Delete removes, Alt with an arrow moves,
 * Ctrl Z takes back. By mouse, a step is dragged to where it goes. The picture is laid out when the journey's shape changes, and only then.
 */
import '@xyflow/react/dist/base.css';
import { ReactFlow, type ReactFlowInstance } from '@xyflow/react';
import { type KeyboardEvent, type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Place } from '../model/edits';
import { findStep, type Journey, type Step, TRIGGER } from '../model/journey';
import { type Direction, neighbour, type Picture } from '../model/layout';
import { Speaker } from '../model/say';
import { AddMenu } from './AddMenu';
import classes from './Canvas.module.css';
import { CanvasContext } from './context';
import { type AnyNode, useEdges, useNodes, usePicture } from './drawn';
import { edgeTypes, type WayEdge } from './edges';
import { nodeTypes } from './nodes';
import { Tools } from './Tools';
import type { Editing, Figure } from './types';
import { useDrag } from './useDrag';

const ZOOM_MIN = 0.15;
const ZOOM_MAX = 1.5;
/** Smaller than that nobody reads; a wide journey begins at its trigger. */
const ZOOM_FIRST = 0.78;
/** A node is brought this far inside of the edge of what is seen. */
const MARGIN_PX = 48;

type Props = {
  journey: Journey;
  selected?: string | undefined;
  /** A click or Enter on a node; `undefined` beside all of them. */
  onSelect?: ((id: string | undefined) => void) | undefined;
  problems?: ReadonlyMap<string, number> | undefined;
  figures?: ReadonlyMap<string, readonly Figure[]> | undefined;
  /** The step that is being told of, and those before it. */
  lit?: string | undefined;
  passed?: ReadonlySet<string> | undefined;
  editing?: Editing | undefined;
  /** The text has moved on and cannot be read: the picture is that of before. */
  isStale?: boolean;
  /** A step waits to be put somewhere. */
  moving?: Step | undefined;
  onMoved?: (() => void) | undefined;
  note?: ReactNode;
};

export function Canvas(props: Props) {
  const {
    journey,
    selected,
    onSelect,
    problems,
    figures,
    lit,
    passed,
    editing,
    isStale,
    moving,
    onMoved,
    note,
  } = props;
  const { t, i18n } = useTranslation('journeys');
  const withNumbers = figures !== undefined;
  const shown = usePicture(journey, withNumbers);
  const speaker = useMemo(() => new Speaker(i18n.t, i18n.language), [i18n.t, i18n.language]);
  const flow = useRef<ReactFlowInstance<AnyNode, WayEdge>>(null);
  const box = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState<string>(TRIGGER);
  const [adding, setAdding] = useState<{ place: Place; button: HTMLElement }>();
  const isThere = shown.nodes.some((node) => node.id === active);
  const stop = isThere ? active : TRIGGER;

  const { dragged, ghost, begin: drag } = useDrag({ box, flow, journey, shown, editing });
  const nodes = useNodes({ journey, shown, speaker, selected, active: stop, problems, figures, lit, passed });
  const edges = useEdges({
    shown,
    speaker,
    lit,
    passed,
    isEdited: editing !== undefined,
    moving: moving ?? dragged,
  });

  const live = useRef({ onSelect, editing, moving, onMoved });
  live.current = { onSelect, editing, moving, onMoved };
  const calls = useMemo(
    () => ({
      select: (id: string) => live.current.onSelect?.(id),
      focused: setActive,
      plus: (place: Place, button: HTMLElement) => {
        const now = live.current;
        if (now.moving !== undefined) {
          now.editing?.move(now.moving, place);
          now.onMoved?.();
        } else {
          setAdding({ place, button });
        }
      },
    }),
    [],
  );

  const focus = useCallback((id: string) => {
    box.current
      ?.querySelector<HTMLElement>(`[data-node="${CSS.escape(id)}"]`)
      ?.focus({ preventScroll: true });
  }, []);
  const reveal = useReveal(flow, box, shown);

  // What is selected elsewhere (a problem, a line of the text) is brought into view.
  useEffect(() => {
    if (selected !== undefined) {
      setActive(selected);
      reveal(selected);
    }
  }, [selected, reveal]);
  useEffect(() => {
    if (lit !== undefined) {
      reveal(lit);
    }
  }, [lit, reveal]);

  const press = (event: KeyboardEvent) => {
    const target = event.target instanceof HTMLElement ? event.target : undefined;
    if (target === undefined || !box.current?.contains(target)) {
      return;
    }
    if (event.key === 'Escape' && moving !== undefined) {
      onMoved?.();
      return;
    }
    const id = target.dataset.node;
    if (editing !== undefined && (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'z') {
      event.preventDefault();
      (event.shiftKey ? editing.redo : editing.undo)();
      return;
    }
    if (editing !== undefined && (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'y') {
      event.preventDefault();
      editing.redo();
      return;
    }
    if (id === undefined || event.ctrlKey || event.metaKey) {
      return;
    }
    const step = findStep(journey, id);
    const direction = ARROWS[event.key];
    if (direction !== undefined) {
      event.preventDefault();
      if (event.altKey) {
        if (step !== undefined && (direction === 'up' || direction === 'down')) {
          editing?.nudge(step, direction === 'up' ? -1 : 1);
        }
        return;
      }
      const next = neighbour(shown, id, direction);
      if (next !== undefined && shown.nodes.some((node) => node.id === next && node.shape !== 'end')) {
        reveal(next);
        focus(next);
      }
      return;
    }
    if (editing === undefined || event.altKey) {
      return;
    }
    if ((event.key === 'Delete' || event.key === 'Backspace') && step !== undefined) {
      event.preventDefault();
      const before = neighbour(shown, id, 'up');
      editing.remove(step);
      requestAnimationFrame(() => focus(before ?? TRIGGER));
    } else if (event.key === 'a' || event.key === '+' || event.key === 'Insert') {
      event.preventDefault();
      const place = placeAfter(step);
      // After this key: the menu would take it for its own, and close.
      setTimeout(() => setAdding({ place, button: target }));
    } else if (event.key === 'd' && step !== undefined) {
      event.preventDefault();
      editing.copy(step);
    }
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys are taken for the nodes inside
    <div className={classes.canvas} ref={box} onKeyDown={press} onPointerDown={drag} data-canvas>
      <CanvasContext.Provider value={calls}>
        <ReactFlow<AnyNode, WayEdge>
          className={classes.flow}
          data-stale={isStale || undefined}
          nodes={nodes}
          edges={edges}
          nodeTypes={nodeTypes}
          edgeTypes={edgeTypes}
          nodesDraggable={false}
          nodesConnectable={false}
          nodesFocusable={false}
          edgesFocusable={false}
          elementsSelectable={false}
          disableKeyboardA11y
          deleteKeyCode={null}
          selectionKeyCode={null}
          panOnScroll
          zoomOnDoubleClick={false}
          minZoom={ZOOM_MIN}
          maxZoom={ZOOM_MAX}
          proOptions={PRO}
          onInit={(instance) => {
            flow.current = instance;
            begin(instance, box.current, shown);
          }}
          onPaneClick={() => onSelect?.(undefined)}
          aria-label={t('canvas.label')}
        />
      </CanvasContext.Provider>
      <Tools flow={flow} editing={editing} begin={() => flow.current && seeAll(flow.current)} />
      {note !== undefined && <div className={classes.note}>{note}</div>}
      {dragged !== undefined && (
        <div className={classes.ghost} ref={ghost} aria-hidden>
          {speaker.step(dragged).head}
        </div>
      )}
      {adding !== undefined && editing !== undefined && (
        <AddMenu
          anchor={adding.button}
          close={() => {
            setAdding(undefined);
            adding.button.focus({ preventScroll: true });
          }}
          choose={(kind) => editing.insert(adding.place, kind)}
        />
      )}
    </div>
  );
}

const PRO = { hideAttribution: true };
const ARROWS: Record<string, Direction | undefined> = {
  ArrowUp: 'up',
  ArrowDown: 'down',
  ArrowLeft: 'left',
  ArrowRight: 'right',
};

/** Where a step comes that is added while another has the focus: behind it, or before all. */
function placeAfter(step: Step | undefined): Place {
  return step === undefined
    ? { list: ['steps'], at: 0 }
    : { list: step.path.slice(0, -1), at: Number(step.path.at(-1)) + 1 };
}

/** The beginning of the journey, as large as its width allows. */
function begin(flow: ReactFlowInstance<AnyNode, WayEdge>, box: HTMLElement | null, shown: Picture): void {
  const width = box?.clientWidth ?? 0;
  if (width === 0) {
    return;
  }
  const first = shown.nodes[0];
  const centre = first === undefined ? 0 : first.x + first.w / 2;
  const zoom = Math.min(1, Math.max(ZOOM_FIRST, (width - MARGIN_PX / 2) / Math.max(shown.width, 1)));
  // Where all of it fits, its middle; else the middle of the column that is read first.
  const middle = shown.width * zoom <= width ? shown.width / 2 : centre;
  flow.setViewport({ x: width / 2 - middle * zoom, y: 20, zoom });
}

function seeAll(flow: ReactFlowInstance<AnyNode, WayEdge>): void {
  flow.fitView({ padding: 0.08, maxZoom: 1, duration: 200 });
}

/** Moves the view as little as it takes to see a node. */
function useReveal(
  flow: React.RefObject<ReactFlowInstance<AnyNode, WayEdge> | null>,
  box: React.RefObject<HTMLDivElement | null>,
  shown: Picture,
): (id: string) => void {
  const picture = useRef(shown);
  picture.current = shown;
  return useCallback(
    (id) => {
      const node = picture.current.nodes.find((one) => one.id === id);
      const view = flow.current?.getViewport();
      const size = box.current?.getBoundingClientRect();
      if (node === undefined || view === undefined || size === undefined || size.width === 0) {
        return;
      }
      const left = node.x * view.zoom + view.x;
      const top = node.y * view.zoom + view.y;
      const dx = shift(left, node.w * view.zoom, size.width);
      const dy = shift(top, node.h * view.zoom, size.height);
      if (dx !== 0 || dy !== 0) {
        flow.current?.setViewport({ ...view, x: view.x + dx, y: view.y + dy }, { duration: 120 });
      }
    },
    [flow, box],
  );
}

function shift(from: number, length: number, room: number): number {
  if (from < MARGIN_PX) {
    return MARGIN_PX - from;
  }
  const over = from + length - (room - MARGIN_PX);
  return over > 0 ? -Math.min(over, from - MARGIN_PX) : 0;
}
