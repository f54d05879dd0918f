import { describe, expect, it } from 'vitest';
import { readDocument } from '../../shared/editing/document';
import { addItem, changeItem, freeId, isAddress, moveItem, readItems, removeItem } from './items';

const TEXT =
  'format: list/1\nid: lessons\nitems:\n  # the first\n  - id: a\n    title: One\n    minutes: 12\n  - id: 007\n    title: Two\n';

const ids = (text: string) => readItems(readDocument(text))?.map((item) => item.id);

describe('items', () => {
  it('have ids as they are written', () => {
    expect(ids(TEXT)).toEqual(['a', '007']);
    expect(ids('format: list/1\nid: x\nitems:\n')).toEqual([]);
    expect(ids('format: list/1\nid: x\nitems: 3\n')).toBeUndefined();
    expect(ids('a: [')).toBeUndefined();
  });

  it('move, come, change and go; remarks and other items stay', () => {
    const document = readDocument(TEXT);
    addItem(document, 'c', [['title', 'Three']]);
    moveItem(document, 2, 0);
    changeItem(document, 2, '007', [
      ['title', 'Two, anew'],
      ['minutes', 5],
    ]);
    removeItem(document, 1);
    const text = document.toString();
    expect(text).toContain('id: 007\n    title: Two, anew\n    minutes: 5\n');
    expect(ids(text)).toEqual(['c', '007']);
  });

  it('move to the ends and no further', () => {
    const document = readDocument(TEXT);
    moveItem(document, 0, 99);
    expect(ids(document.toString())).toEqual(['007', 'a']);
    moveItem(document, 1, -5);
    expect(ids(document.toString())).toEqual(['a', '007']);
  });

  it('get an id that nobody has', () => {
    expect(freeId('lesson', ['lesson', 'lesson-2'])).toBe('lesson-3');
    expect(freeId('', [])).toBe('item');
  });

  it('lead to the web only', () => {
    expect(isAddress('https://school.example/1')).toBe(true);
    expect(isAddress('javascript:alert(1)')).toBe(false);
    expect(isAddress('school.example')).toBe(false);
  });
});
