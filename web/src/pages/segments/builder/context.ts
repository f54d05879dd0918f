import { createContext, useContext } from 'react';
import type { Document } from 'yaml';

export type Building = {
  document: Document;
  /** Changes the document's nodes; the text follows. */
  edit: (change: (document: Document) => void) => void;
  /** Names to choose among; others may be typed. */
  fields: string[];
  events: string[];
  objects: string[];
  segments: { id: string; name: string }[];
  /** The segment itself: it cannot ask about itself. */
  own: string;
  isReadOnly: boolean;
};

export const BuildingContext = createContext<Building | undefined>(undefined);

export function useBuilding(): Building {
  const building = useContext(BuildingContext);
  if (building === undefined) {
    throw new Error('a part of the builder stands outside of it');
  }
  return building;
}
