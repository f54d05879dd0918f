import { act, renderHook } from '@testing-library/react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { parseDocument, type YAMLSeq } from 'yaml';
import { difference } from './CodeEditor';
import { readDocument } from './document';
import { idOf } from './idOf';
import { keepLines } from './keepLines';
import { lineDiff, stretches } from './lineDiff';
import { useDraft } from './useDraft';

describe('a difference of texts', () => {
  it('tells lines that came, went and stayed', () => {
    const lines = lineDiff('a\nb\nc\nd', 'a\nx\nc\nd\ne');
    expect(lines.map((line) => `${line.what[0]} ${line.text}`)).toEqual([
      's a',
      'r b',
      'a x',
      's c',
      's d',
      'a e',
    ]);
  });

  it('of a long text shows what is near, and counts what is not', () => {
    const before = Array.from({ length: 30 }, (_, at) => `line ${at}`);
    const after = before.with(20, 'another');
    const [only, ...others] = stretches(lineDiff(before.join('\n'), after.join('\n')));
    expect(others).toEqual([]);
    expect(only?.skipped).toBe(17);
    expect(only?.lines).toHaveLength(8);
  });

  it('of two that share nothing and are too long to compare is told whole', () => {
    const many = (word: string) => Array.from({ length: 2_500 }, (_, at) => `${word} ${at}`).join('\n');
    const lines = lineDiff(many('a'), many('b'));
    expect(lines.filter((line) => line.what === 'removed')).toHaveLength(2_500);
    expect(lines.filter((line) => line.what === 'added')).toHaveLength(2_500);
  });

  it('is one stretch for an editor', () => {
    expect(difference('one two three', 'one 2 three')).toEqual({ from: 4, to: 7, insert: '2' });
    expect(difference('aa', 'aaa')).toEqual({ from: 2, to: 2, insert: 'a' });
  });
});

describe('a changed document', () => {
  it('keeps every other line as it was written', () => {
    const text = 'a:   007   # why\nb: [x,y]\nlist:\n- one\n';
    const document = readDocument(text);
    (document.get('list') as YAMLSeq).items.push(document.createNode('two'));
    expect(keepLines(text, document)).toBe('a:   007   # why\nb: [x,y]\nlist:\n- one\n- two\n');
  });

  it('is written anew where lines of two layouts would say something else', () => {
    const text = 'list:\n      - a:   1\n';
    const document = readDocument(text);
    (document.get('list') as YAMLSeq).items.push(document.createNode({ a: 2 }));
    expect(parseDocument(keepLines(text, document)).toJSON()).toEqual({ list: [{ a: 1 }, { a: 2 }] });
  });
});

describe('an id of a name', () => {
  it('has letters that files and addresses can have', () => {
    expect(idOf('Лояльные клиенты!')).toBe('loyalnye-klienty');
    expect(idOf('  Épée 2026 ')).toBe('epee-2026');
    expect(idOf('Чай и ёж')).toBe('chay-i-ezh');
    expect(idOf('Preview', new Set(['preview']))).toBe('preview-1');
    expect(idOf('優良顧客')).toBe('');
    expect(idOf('x'.repeat(300))).toHaveLength(64);
  });
});

describe('a draft', () => {
  beforeEach(() => {
    localStorage.clear();
    vi.useRealTimers();
  });

  const draft = (saved: string, revision: string) =>
    renderHook(({ text, at }) => useDraft('test', text, at), {
      initialProps: { text: saved, at: revision },
    });

  it('outlives its page, and is gone once the server has it', () => {
    const first = draft('old', 'r1');
    act(() => first.result.current.set('new'));
    first.unmount();
    const second = draft('old', 'r1');
    expect(second.result.current.value).toBe('new');
    expect(second.result.current.restoredAt).toBeDefined();
    second.rerender({ text: 'new', at: 'r2' });
    expect(second.result.current.isChanged).toBe(false);
    second.unmount();
    expect(draft('newer', 'r3').result.current.value).toBe('newer');
  });

  it('says when somebody else saved, and forgets nothing', () => {
    const { result, rerender } = draft('old', 'r1');
    act(() => result.current.set('mine'));
    rerender({ text: 'theirs', at: 'r2' });
    expect(result.current).toMatchObject({ value: 'mine', isStale: true, base: 'r1' });
    act(() => result.current.rebase());
    expect(result.current).toMatchObject({ value: 'mine', isStale: false, base: 'r2' });
    act(() => result.current.discard());
    expect(result.current.value).toBe('theirs');
  });

  it('follows the server while nothing was written', () => {
    const { result, rerender } = draft('old', 'r1');
    rerender({ text: 'theirs', at: 'r2' });
    expect(result.current).toMatchObject({ value: 'theirs', isStale: false, isChanged: false });
  });
});
