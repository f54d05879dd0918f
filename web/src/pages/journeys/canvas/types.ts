import type { Place } from '../model/edits';
import type { Kind, Step } from '../model/journey';

/** A number on a node: how many, and what it counts. */
export type Figure = { key: string; label: string; value: string; color?: string };

/** What can be done on the canvas; without it the canvas is for reading. */
export type Editing = {
  insert: (place: Place, kind: Kind) => void;
  remove: (step: Step) => void;
  copy: (step: Step) => void;
  /** Up or down among its neighbours. */
  nudge: (step: Step, by: -1 | 1) => void;
  move: (step: Step, place: Place) => void;
  undo: () => void;
  redo: () => void;
};
