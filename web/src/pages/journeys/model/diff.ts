/** What differs between two texts, by lines; and two changed texts brought together, piece by piece. */

export type Row =
  | { what: 'same'; left: number; right: number; text: string }
  | { what: 'changed'; left?: number; right?: number; before?: string; after?: string };

/** Beyond it the middle is told as one change: no reader compares more. */
const CELLS_MAX = 4_000_000;

export function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') {
    lines.pop();
  }
  return lines;
}

type Piece = { what: 'same' | 'left' | 'right'; text: string };

/** The longest common lines; what stands between them is left out or put in. */
function pieces(left: string[], right: string[]): Piece[] {
  let head = 0;
  while (head < left.length && head < right.length && left[head] === right[head]) {
    head += 1;
  }
  let tail = 0;
  while (
    tail < left.length - head &&
    tail < right.length - head &&
    left[left.length - 1 - tail] === right[right.length - 1 - tail]
  ) {
    tail += 1;
  }
  const same = (lines: string[]): Piece[] => lines.map((text) => ({ what: 'same', text }));
  return [
    ...same(left.slice(0, head)),
    ...middle(left.slice(head, left.length - tail), right.slice(head, right.length - tail)),
    ...same(left.slice(left.length - tail)),
  ];
}

function middle(left: string[], right: string[]): Piece[] {
  const out: Piece[] = [];
  const width = right.length + 1;
  if ((left.length + 1) * width > CELLS_MAX) {
    return [
      ...left.map((text): Piece => ({ what: 'left', text })),
      ...right.map((text): Piece => ({ what: 'right', text })),
    ];
  }
  const longest = new Uint32Array((left.length + 1) * width);
  const at = (l: number, r: number) => longest[l * width + r] ?? 0;
  for (let l = left.length - 1; l >= 0; l -= 1) {
    for (let r = right.length - 1; r >= 0; r -= 1) {
      longest[l * width + r] =
        left[l] === right[r] ? at(l + 1, r + 1) + 1 : Math.max(at(l + 1, r), at(l, r + 1));
    }
  }
  let l = 0;
  let r = 0;
  while (l < left.length || r < right.length) {
    if (l < left.length && r < right.length && left[l] === right[r]) {
      out.push({ what: 'same', text: left[l] ?? '' });
      l += 1;
      r += 1;
    } else if (r >= right.length || (l < left.length && at(l + 1, r) >= at(l, r + 1))) {
      out.push({ what: 'left', text: left[l] ?? '' });
      l += 1;
    } else {
      out.push({ what: 'right', text: right[r] ?? '' });
      r += 1;
    }
  }
  return out;
}

/** Rows for two columns: what was changed stands beside what it became. */
export function rows(before: string, after: string): Row[] {
  const out: Row[] = [];
  let left = 0;
  let right = 0;
  let gone: string[] = [];
  let come: string[] = [];
  const flush = () => {
    for (let at = 0; at < Math.max(gone.length, come.length); at += 1) {
      const was = gone[at];
      const is = come[at];
      const row: Row = { what: 'changed' };
      if (was !== undefined) {
        left += 1;
        row.left = left;
        row.before = was;
      }
      if (is !== undefined) {
        right += 1;
        row.right = right;
        row.after = is;
      }
      out.push(row);
    }
    gone = [];
    come = [];
  };
  for (const piece of pieces(linesOf(before), linesOf(after))) {
    if (piece.what === 'left') {
      gone.push(piece.text);
    } else if (piece.what === 'right') {
      come.push(piece.text);
    } else {
      flush();
      left += 1;
      right += 1;
      out.push({ what: 'same', left, right, text: piece.text });
    }
  }
  flush();
  return out;
}

/** A stretch of two texts: the same in both, or a choice. */
export type Hunk = { same: string[] } | { theirs: string[]; mine: string[] };
export type Choice = 'theirs' | 'mine' | 'both';

export function hunks(theirs: string, mine: string): Hunk[] {
  const out: Hunk[] = [];
  for (const piece of pieces(linesOf(theirs), linesOf(mine))) {
    const last = out.at(-1);
    if (piece.what === 'same') {
      if (last !== undefined && 'same' in last) {
        last.same.push(piece.text);
      } else {
        out.push({ same: [piece.text] });
      }
      continue;
    }
    const open = last !== undefined && 'theirs' in last ? last : { theirs: [], mine: [] };
    if (open !== last) {
      out.push(open);
    }
    (piece.what === 'left' ? open.theirs : open.mine).push(piece.text);
  }
  return out;
}

export function merged(all: readonly Hunk[], choices: readonly Choice[]): string {
  let at = 0;
  const lines = all.flatMap((hunk) => {
    if ('same' in hunk) {
      return hunk.same;
    }
    const choice = choices[at] ?? 'mine';
    at += 1;
    return choice === 'theirs' ? hunk.theirs : choice === 'mine' ? hunk.mine : [...hunk.theirs, ...hunk.mine];
  });
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

/**
 * What is likely meant, where it is known from which text both began: of a stretch that only one of the two changed,
 * the change. A stretch that both changed is one's own, until the person says otherwise.
 */
export function likely(all: readonly Hunk[], base: string): Choice[] {
  const text = `\n${base}\n`;
  return all.flatMap((hunk, at): Choice[] => {
    if ('same' in hunk) {
      return [];
    }
    const before = all[at - 1];
    const after = all[at + 1];
    const head = before !== undefined && 'same' in before ? before.same.slice(-1) : [];
    const tail = after !== undefined && 'same' in after ? after.same.slice(0, 1) : [];
    const isAsBefore = (lines: readonly string[]) =>
      text.includes(`\n${[...head, ...lines, ...tail].join('\n')}\n`);
    return [isAsBefore(hunk.mine) && !isAsBefore(hunk.theirs) ? 'theirs' : 'mine'];
  });
}
