/**
 * The text of a YAML document after a change, with every line that the change did not touch as the person wrote it.
 *
 * Writing a document anew would set spaces and brackets its own way everywhere, and a change of one word would look
 * like a change of the whole file.
 */
import { type Document, parse } from 'yaml';
import { readDocument, writeDocument } from './document';
import { lineDiff } from './lineDiff';

export function keepLines(before: string, document: Document): string {
  const after = writeDocument(document, before);
  const plain = readDocument(before);
  if (plain.errors.length > 0) {
    return after;
  }
  const own = before.split('\n');
  const anew = writeDocument(plain, before);
  if (anew.split('\n').length !== own.length) {
    return after;
  }
  let at = 0;
  const lines: string[] = [];
  for (const line of lineDiff(anew, after)) {
    if (line.what === 'added') {
      lines.push(line.text);
      continue;
    }
    if (line.what === 'same') {
      lines.push(own[at] ?? line.text);
    }
    at++;
  }
  const kept = lines.join('\n');
  return saysTheSame(kept, document) ? kept : after;
}

/** Lines of two layouts may not fit together; then the text is written anew. */
function saysTheSame(text: string, document: Document): boolean {
  try {
    return JSON.stringify(parse(text)) === JSON.stringify(document.toJSON());
  } catch {
    return false;
  }
}
