import { createContext, useContext } from 'react';
import type { Place } from '../model/edits';

/** What nodes and edges call; the same object as long as the canvas stands, so that none is drawn anew. */
export type CanvasCalls = {
  select: (id: string) => void;
  focused: (id: string) => void;
  plus: (place: Place, button: HTMLElement) => void;
};

export const CanvasContext = createContext<CanvasCalls>({
  select: () => undefined,
  focused: () => undefined,
  plus: () => undefined,
});

export const useCanvas = () => useContext(CanvasContext);
