import { createContext, useContext } from 'react';
import type { Names } from '../model/complete';
import { setAt, setOption } from '../model/edits';
import type { Step } from '../model/journey';
import type { Change, Path } from '../model/surgery';

/** What forms need to change the text: it as it is, and how to splice it. */
export type FormTools = { text: () => string; change: (changes: Change[]) => void; names: Names };

export const FormContext = createContext<FormTools | undefined>(undefined);

export function useTools(): FormTools {
  const tools = useContext(FormContext);
  if (tools === undefined) {
    throw new Error('a form outside of the editor');
  }
  return tools;
}

/** Sets an option of a step; `undefined` takes it away. */
export function useOption(step: Step): (key: string, value: unknown) => void {
  const { text, change } = useTools();
  return (key, value) => change(setOption(text(), step, key, value));
}

/** Sets any place of the text. */
export function useSetAt(): (path: Path, value: unknown) => void {
  const { text, change } = useTools();
  return (path, value) => change(setAt(text(), path, value));
}
