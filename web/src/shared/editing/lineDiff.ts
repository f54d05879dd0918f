/** Which lines of a text are new and which are gone. */

export type Line = { what: 'same' | 'added' | 'removed'; text: string };
/** A stretch of lines to show, with the number of lines that were left out before it. */
export type Stretch = { skipped: number; lines: Line[] };

/** Cells of the table that compares two texts; beyond it the middle counts as exchanged whole. */
const CELLS_MAX = 4_000_000;
/** Unchanged lines that are shown round a change. */
const CONTEXT_LINES = 3;

export function lineDiff(before: string, after: string): Line[] {
  const old = before === '' ? [] : before.split('\n');
  const own = after === '' ? [] : after.split('\n');
  let head = 0;
  while (head < old.length && head < own.length && old[head] === own[head]) {
    head++;
  }
  let tail = 0;
  while (
    tail < old.length - head &&
    tail < own.length - head &&
    old[old.length - 1 - tail] === own[own.length - 1 - tail]
  ) {
    tail++;
  }
  const same = (text: string): Line => ({ what: 'same', text });
  return [
    ...old.slice(0, head).map(same),
    ...middle(old.slice(head, old.length - tail), own.slice(head, own.length - tail)),
    ...old.slice(old.length - tail).map(same),
  ];
}

function middle(old: string[], own: string[]): Line[] {
  if (old.length * own.length > CELLS_MAX) {
    return [
      ...old.map((text): Line => ({ what: 'removed', text })),
      ...own.map((text): Line => ({ what: 'added', text })),
    ];
  }
  // longest[i * width + j]: lines that old from i and own from j have in common.
  const width = own.length + 1;
  const longest = new Uint32Array((old.length + 1) * width);
  const at = (i: number, j: number) => longest[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = own.length - 1; j >= 0; j--) {
      longest[i * width + j] =
        old[i] === own[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < own.length) {
    const [gone, come] = [old[i], own[j]];
    if (gone !== undefined && gone === come) {
      lines.push({ what: 'same', text: gone });
      i++;
      j++;
    } else if (gone !== undefined && (come === undefined || at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ what: 'removed', text: gone });
      i++;
    } else {
      lines.push({ what: 'added', text: come ?? '' });
      j++;
    }
  }
  return lines;
}

/** The changes with a little round them. */
export function stretches(lines: readonly Line[]): Stretch[] {
  const near = lines.map((_, at) =>
    lines.slice(Math.max(0, at - CONTEXT_LINES), at + CONTEXT_LINES + 1).some((one) => one.what !== 'same'),
  );
  const found: Stretch[] = [];
  let skipped = 0;
  let open: Stretch | undefined;
  lines.forEach((line, at) => {
    if (near[at]) {
      if (open === undefined) {
        open = { skipped, lines: [] };
        found.push(open);
        skipped = 0;
      }
      open.lines.push(line);
    } else {
      open = undefined;
      skipped++;
    }
  });
  return found;
}
