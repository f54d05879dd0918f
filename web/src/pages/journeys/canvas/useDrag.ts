/**
 * Steps are dragged to where they go: the places that take one light up, the nearest is where it falls.
 *
 * What follows the pointer is moved outside of React: nothing is drawn anew but when a drag begins and ends. A finger
 * pans the canvas as before; with it, and by keyboard, a step is moved by its menu.
 */
import type { ReactFlowInstance } from '@xyflow/react';
import { type PointerEvent, type RefObject, useCallback, useEffect, useRef, useState } from 'react';
import type { Place } from '../model/edits';
import { findStep, type Journey, type Step } from '../model/journey';
import type { Picture } from '../model/layout';
import type { AnyNode } from './drawn';
import type { WayEdge } from './edges';
import type { Editing } from './types';

/** Less is a click by an unsteady hand. */
const BEGINS_PX = 6;
/** How far from a place a step may be let go and still falls there. */
const FALLS_PX = 90;
/** So near to the edge of the canvas it moves on under the pointer, by so much at a time. */
const EDGE_PX = 44;
const PAN_PX = 9;

type Of = {
  box: RefObject<HTMLDivElement | null>;
  flow: RefObject<ReactFlowInstance<AnyNode, WayEdge> | null>;
  journey: Journey;
  shown: Picture;
  editing: Editing | undefined;
};

type Drag = {
  /** The step on its way; while there is one, places for it are offered. */
  dragged: Step | undefined;
  /** What follows the pointer. */
  ghost: RefObject<HTMLDivElement | null>;
  begin: (event: PointerEvent) => void;
};

export function useDrag({ box, flow, journey, shown, editing }: Of): Drag {
  const [dragged, setDragged] = useState<Step>();
  const ghost = useRef<HTMLDivElement>(null);
  const live = useRef({ journey, shown, editing });
  live.current = { journey, shown, editing };
  const end = useRef<() => void>(undefined);
  // A canvas that goes takes its listeners along.
  useEffect(() => () => end.current?.(), []);

  const begin = useCallback(
    (event: PointerEvent) => {
      const { editing: now, journey: of } = live.current;
      const node = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-node]') : null;
      const step = findStep(of, node?.dataset.node ?? '');
      if (now === undefined || node === null || step === undefined) {
        return;
      }
      if (event.button !== 0 || event.pointerType === 'touch' || end.current !== undefined) {
        return;
      }
      const start = { x: event.clientX, y: event.clientY };
      const at = { ...start };
      let isOn = false;
      let near: HTMLElement | undefined;
      let frame = 0;

      const look = () => {
        const next = nearest(box.current, at);
        if (next !== near) {
          near?.removeAttribute('data-near');
          next?.setAttribute('data-near', '');
          near = next;
        }
        if (ghost.current !== null) {
          ghost.current.style.transform = `translate(${at.x + 12}px, ${at.y + 10}px)`;
        }
      };
      const goOn = () => {
        pan(flow.current, box.current, at);
        look();
        frame = requestAnimationFrame(goOn);
      };
      const move = (one: globalThis.PointerEvent) => {
        at.x = one.clientX;
        at.y = one.clientY;
        if (!isOn && Math.hypot(at.x - start.x, at.y - start.y) >= BEGINS_PX) {
          isOn = true;
          node.setAttribute('data-dragged', '');
          setDragged(step);
          frame = requestAnimationFrame(goOn);
        }
      };
      const stop = (place: Place | undefined) => {
        window.removeEventListener('pointermove', move);
        window.removeEventListener('pointerup', up);
        window.removeEventListener('pointercancel', leave);
        window.removeEventListener('keydown', press, true);
        cancelAnimationFrame(frame);
        near?.removeAttribute('data-near');
        node.removeAttribute('data-dragged');
        end.current = undefined;
        if (isOn) {
          setDragged(undefined);
        }
        if (place !== undefined) {
          live.current.editing?.move(step, place);
        }
      };
      const up = () => {
        const { shown: picture } = live.current;
        const edge = near?.dataset.edge;
        if (isOn) {
          swallowClick();
        }
        stop(isOn ? picture.edges.find((one) => one.id === edge)?.place : undefined);
      };
      const leave = () => stop(undefined);
      const press = (key: KeyboardEvent) => {
        if (key.key === 'Escape') {
          key.preventDefault();
          key.stopPropagation();
          stop(undefined);
        }
      };
      window.addEventListener('pointermove', move);
      window.addEventListener('pointerup', up);
      window.addEventListener('pointercancel', leave);
      window.addEventListener('keydown', press, true);
      end.current = leave;
    },
    [box, flow],
  );
  return { dragged, ghost, begin };
}

/** The place that takes the step and is nearest to the pointer, if one is near. */
function nearest(box: HTMLElement | null, at: { x: number; y: number }): HTMLElement | undefined {
  let found: HTMLElement | undefined;
  let least = FALLS_PX;
  for (const one of box?.querySelectorAll<HTMLElement>('[data-placing]') ?? []) {
    const rect = one.getBoundingClientRect();
    const far = Math.hypot(rect.left + rect.width / 2 - at.x, rect.top + rect.height / 2 - at.y);
    if (far < least) {
      least = far;
      found = one;
    }
  }
  return found;
}

/** Goes on to what lies beyond the edge that the pointer is at. */
function pan(
  flow: ReactFlowInstance<AnyNode, WayEdge> | null,
  box: HTMLElement | null,
  at: { x: number; y: number },
): void {
  const rect = box?.getBoundingClientRect();
  if (flow === null || rect === undefined) {
    return;
  }
  const by = (from: number, to: number, where: number) =>
    where < from + EDGE_PX ? PAN_PX : where > to - EDGE_PX ? -PAN_PX : 0;
  const [dx, dy] = [by(rect.left, rect.right, at.x), by(rect.top, rect.bottom, at.y)];
  if (dx !== 0 || dy !== 0) {
    const view = flow.getViewport();
    flow.setViewport({ ...view, x: view.x + dx, y: view.y + dy });
  }
}

/** The click that ends a drag opens nothing. */
function swallowClick(): void {
  const swallow = (event: MouseEvent) => {
    event.stopPropagation();
    event.preventDefault();
  };
  window.addEventListener('click', swallow, { capture: true, once: true });
  setTimeout(() => window.removeEventListener('click', swallow, { capture: true }));
}
