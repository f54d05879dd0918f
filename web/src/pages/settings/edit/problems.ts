/** What the server found wrong with a value, by field. */
import { failureOf } from '../../../api/problem';

export type FieldProblem = { field: string; message: string };

/** Dotted places below the section, such as `zone` or `0.most`; the section's own name before them is left out. */
export function fieldProblems(error: unknown, section: string): FieldProblem[] {
  const { fields } = failureOf(error).problem;
  if (!Array.isArray(fields)) {
    return [];
  }
  return fields.flatMap((one: unknown) => {
    if (typeof one !== 'object' || one === null) {
      return [];
    }
    const { field, message } = one as Record<string, unknown>;
    const place = String(field ?? '').replace(/\[(\d+)\]/g, '.$1');
    const own = place === section ? '' : place.replace(new RegExp(`^${section}\\.`), '');
    return [{ field: own, message: String(message ?? '') }];
  });
}

/** The first problem of a field or, unless it is meant `exactly`, of what lies below it. */
export function problemOf(problems: FieldProblem[], field: string, exactly = false): string | undefined {
  return problems.find((one) => one.field === field || (!exactly && one.field.startsWith(`${field}.`)))
    ?.message;
}

/** Problems that no field of the form shows. */
export function otherProblems(problems: FieldProblem[], fields: readonly string[]): string[] {
  const isShown = (place: string) => fields.some((one) => place === one || place.startsWith(`${one}.`));
  return problems.filter((one) => !isShown(one.field)).map((one) => one.message);
}
