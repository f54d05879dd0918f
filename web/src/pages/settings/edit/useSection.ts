/** One section in the hands of a person: read, edited, saved, in conflict with somebody else's change. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { failureOf } from '../../../api/problem';
import { tellDone, tellUndoable } from '../../../shared/tell';
import { sessionQuery } from '../../../shell/useSession';
import { putSection, resetSection, type SectionName, type SectionShown, sectionQuery } from './calls';
import { type FieldProblem, fieldProblems } from './problems';

/** How a value becomes a form and back. */
export type Shape<Form> = {
  read: (value: unknown) => Form;
  write: (form: Form) => unknown;
  /** What is wrong before anything is asked, by field; messages are words already. */
  check?: (form: Form) => FieldProblem[];
  /** A secret is written and never read: a change of it cannot be taken back. */
  holdsSecret?: (form: Form) => boolean;
};

type Editing<Form> = { form: Form; began: SectionShown };

export type SectionState<Form> = {
  shown: SectionShown | undefined;
  error: unknown;
  refetch: () => void;
  form: Form | undefined;
  set: (form: Form) => void;
  isEditing: boolean;
  isChanged: boolean;
  isBusy: boolean;
  problems: FieldProblem[];
  /** Why saving failed, where no field is to blame. */
  failure: unknown;
  /** What somebody else saved while this was edited. */
  theirs: SectionShown | undefined;
  edit: () => void;
  cancel: () => void;
  save: () => Promise<void>;
  reset: () => Promise<void>;
  takeTheirs: () => void;
  keepMine: () => void;
};

export function useSection<Form>(
  section: SectionName,
  title: string,
  shape: Shape<Form>,
): SectionState<Form> {
  const { t } = useTranslation('settings');
  const queries = useQueryClient();
  const { data: shown, error, refetch } = useQuery(sectionQuery(section));
  const [editing, setEditing] = useState<Editing<Form>>();
  const [theirs, setTheirs] = useState<SectionShown>();
  const [problems, setProblems] = useState<FieldProblem[]>([]);
  const [failure, setFailure] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);

  const textOf = (form: Form) => JSON.stringify(shape.write(form));
  const isChanged = editing !== undefined && textOf(editing.form) !== textOf(shape.read(editing.began.value));

  const clear = () => {
    setProblems([]);
    setFailure(undefined);
    setTheirs(undefined);
  };
  const begin = (next: Editing<Form> | undefined) => {
    clear();
    setEditing(next);
  };
  const refresh = async () => {
    const fresh = await queries.fetchQuery({ ...sectionQuery(section), staleTime: 0 });
    await queries.invalidateQueries({ queryKey: ['settings'] });
    if (section === 'workspace') {
      // Its name and zone are everywhere.
      await queries.refetchQueries({ queryKey: sessionQuery.queryKey, exact: true });
    }
    return fresh;
  };
  /** What was in force before is in force again. */
  const restore = async (before: SectionShown, now: SectionShown) => {
    await (before.origin === 'here'
      ? putSection(section, shape.write(shape.read(before.value)), now.revision)
      : resetSection(section, now.revision));
    await refresh();
  };

  const save = async () => {
    if (editing === undefined || isBusy) {
      return;
    }
    if (!isChanged) {
      begin(undefined);
      return;
    }
    const { form, began } = editing;
    const found = shape.check?.(form) ?? [];
    setProblems(found);
    setFailure(undefined);
    if (found.length > 0) {
      return;
    }
    setBusy(true);
    try {
      await putSection(section, shape.write(form), began.revision);
      const now = await refresh();
      begin(undefined);
      if (shape.holdsSecret?.(form)) {
        tellDone(t('edit.saved', { title }));
      } else {
        tellUndoable(t('edit.saved', { title }), () => restore(began, now));
      }
    } catch (problem) {
      const { status } = failureOf(problem);
      if (status === 412 || status === 409) {
        setTheirs(await refresh());
      } else {
        const named = fieldProblems(problem, section);
        setProblems(named);
        setFailure(named.length > 0 ? undefined : problem);
      }
    } finally {
      setBusy(false);
    }
  };

  const reset = async () => {
    if (shown === undefined || isBusy) {
      return;
    }
    setBusy(true);
    setFailure(undefined);
    try {
      const before = shown;
      await resetSection(section, shown.revision);
      const now = await refresh();
      tellUndoable(t('edit.backDone', { title }), () => restore(before, now));
    } catch (problem) {
      setFailure(problem);
    } finally {
      setBusy(false);
    }
  };

  return {
    shown,
    error,
    refetch: () => refetch(),
    form: editing?.form ?? (shown === undefined ? undefined : shape.read(shown.value)),
    set: (form) => setEditing((before) => (before === undefined ? before : { ...before, form })),
    isEditing: editing !== undefined,
    isChanged,
    isBusy,
    problems,
    failure,
    theirs,
    edit: () => shown !== undefined && begin({ form: shape.read(shown.value), began: shown }),
    cancel: () => {
      if (editing !== undefined && isChanged) {
        const kept = editing;
        tellUndoable(t('edit.discarded'), async () => begin(kept));
      }
      begin(undefined);
    },
    save,
    reset,
    takeTheirs: () => {
      begin(undefined);
      tellDone(t('edit.tookTheirs'));
    },
    keepMine: () => {
      if (editing !== undefined && theirs !== undefined) {
        begin({ form: merged(editing, theirs, shape), began: theirs });
      }
    },
  };
}

/** What this person changed, over what the other saved: a field that only the other changed is theirs. */
function merged<Form>({ form, began }: Editing<Form>, theirs: SectionShown, shape: Shape<Form>): Form {
  const [base, other] = [shape.read(began.value), shape.read(theirs.value)];
  if (typeof form !== 'object' || form === null || Array.isArray(form)) {
    return form;
  }
  const own = form as Record<string, unknown>;
  const before = base as Record<string, unknown>;
  const mine = Object.entries(own).filter(([key, value]) => !same(value, before[key]));
  return { ...other, ...Object.fromEntries(mine) } as Form;
}

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
