/** What the canvas draws: the same objects as before for all that did not change. */
import type { Node } from '@xyflow/react';
import { useMemo, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { canMove } from '../model/edits';
import { findStep, type Journey, type Step } from '../model/journey';
import { type Picture, picture } from '../model/layout';
import type { Speaker } from '../model/say';
import type { WayEdge } from './edges';
import type { StepData } from './nodes';
import type { Figure } from './types';

export type AnyNode = Node<StepData | Record<string, never>>;

/** The picture anew when the shape is another one, the same object when only words have changed. */
export function usePicture(journey: Journey, withNumbers: boolean): Picture {
  const kept = useRef<{ shape: string; picture: Picture }>(undefined);
  return useMemo(() => {
    const next = picture(journey, withNumbers);
    const shape = JSON.stringify([
      next.nodes.map((node) => [node.id, node.x, node.y, node.step?.path]),
      next.edges.map((edge) => [edge.id, edge.place]),
    ]);
    if (kept.current?.shape !== shape) {
      kept.current = { shape, picture: next };
    }
    return kept.current.picture;
  }, [journey, withNumbers]);
}

type NodesOf = {
  journey: Journey;
  shown: Picture;
  speaker: Speaker;
  selected: string | undefined;
  active: string;
  problems: ReadonlyMap<string, number> | undefined;
  figures: ReadonlyMap<string, readonly Figure[]> | undefined;
  lit: string | undefined;
  passed: ReadonlySet<string> | undefined;
};

/** Nodes whose data did not change stay the same objects, so that a selection draws two of them and not all. */
export function useNodes(of: NodesOf): AnyNode[] {
  const { journey, shown, speaker, selected, active, problems, figures, lit, passed } = of;
  const kept = useRef(new Map<string, { sign: string; node: AnyNode }>());
  return useMemo(() => {
    const next = new Map<string, { sign: string; node: AnyNode }>();
    const all = shown.nodes.map((placed): AnyNode => {
      const step = findStep(journey, placed.id);
      const isPlain = placed.shape === 'join' || placed.shape === 'end';
      const said = isPlain
        ? { head: '', rest: '' }
        : placed.shape === 'trigger'
          ? speaker.trigger(journey)
          : placed.shape === 'exits'
            ? speaker.exits(journey)
            : step === undefined
              ? { head: '', rest: '' }
              : speaker.step(step);
      const data: StepData = {
        shape: placed.shape,
        said,
        kind: step?.kind ?? 'unknown',
        channel: step?.value.send,
        problems: problems?.get(placed.id) ?? 0,
        figures: figures?.get(placed.id) ?? (figures === undefined || isPlain ? undefined : []),
        isSelected: selected === placed.id,
        isActive: active === placed.id,
        mark: lit === placed.id ? 'lit' : passed?.has(placed.id) ? 'passed' : undefined,
      };
      const sign = JSON.stringify([placed.x, placed.y, placed.h, data]);
      const before = kept.current.get(placed.id);
      const node: AnyNode =
        before?.sign === sign
          ? before.node
          : {
              id: placed.id,
              type: isPlain ? placed.shape : 'step',
              position: { x: placed.x, y: placed.y },
              width: placed.w,
              height: placed.h,
              data: isPlain ? {} : data,
              style: { width: placed.w, height: placed.h },
            };
      next.set(placed.id, { sign, node });
      return node;
    });
    kept.current = next;
    return all;
  }, [journey, shown, speaker, selected, active, problems, figures, lit, passed]);
}

type EdgesOf = {
  shown: Picture;
  speaker: Speaker;
  lit: string | undefined;
  passed: ReadonlySet<string> | undefined;
  isEdited: boolean;
  moving: Step | undefined;
};

export function useEdges({ shown, speaker, lit, passed, isEdited, moving }: EdgesOf): WayEdge[] {
  const { t } = useTranslation('journeys');
  return useMemo(() => {
    const was = (id: string) => id === lit || (passed?.has(id) ?? false);
    return shown.edges.map((placed): WayEdge => {
      const way = placed.way;
      const label = placed.reached
        ? t('say.way.reached')
        : way === undefined
          ? undefined
          : speaker.wayOf(way.step, way.way.label);
      const { place } = placed;
      const plus =
        !isEdited || place === undefined
          ? 'none'
          : moving === undefined
            ? 'insert'
            : canMove(moving, place)
              ? 'put'
              : 'none';
      return {
        id: placed.id,
        type: 'way',
        source: placed.source,
        target: placed.target,
        data: { placed, label, plus, isLit: was(placed.source) && was(placed.target) },
      };
    });
  }, [shown, speaker, lit, passed, isEdited, moving, t]);
}
