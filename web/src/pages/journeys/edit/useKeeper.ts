import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import { type JourneyShown, putDraft } from '../calls';
import type { Names } from '../model/complete';
import { DraftKeeper, type Kept } from '../text/DraftKeeper';
import { journeyText } from '../text/TextEditor';
import { TextModel } from '../text/TextModel';

/** The text that is worked on: the draft, else the version in force, else the newest. */
export function textToEdit(shown: JourneyShown): string {
  const version = shown.versions.find((one) => one.current) ?? shown.versions.at(-1);
  return shown.draft?.text ?? version?.text ?? '';
}

/** One keeper for a journey as long as its page is open, whatever tab is shown. */
export function useKeeper(
  shown: JourneyShown,
  names: Names,
  mayWrite: boolean,
): { keeper: DraftKeeper; text: string; kept: Kept } {
  const latest = useRef(names);
  latest.current = names;
  const first = useRef(shown);
  const { id } = shown;
  // The keeper lives from the first answer on; later answers are told to it.
  const keeper = useMemo(() => {
    const text = textToEdit(first.current);
    const model = new TextModel(
      text,
      journeyText(() => latest.current, mayWrite),
    );
    return new DraftKeeper(id, model, { text, revision: first.current.draft?.revision }, (text, revision) =>
      putDraft(id, text, revision),
    );
  }, [id, mayWrite]);
  useEffect(() => {
    keeper.open();
    return () => keeper.close();
  }, [keeper]);
  const published = textToEdit({ ...shown, draft: null });
  useEffect(() => keeper.remote(shown.draft, published), [keeper, shown.draft, published]);
  const text = useSyncExternalStore(keeper.model.subscribe, keeper.model.read);
  const kept = useSyncExternalStore(keeper.subscribe, keeper.read);
  return { keeper, text, kept };
}
