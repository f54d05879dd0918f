import { describe, expect, it } from 'vitest';
import { sortedNames } from './files';
import { framed, hasFarPictures } from './frame';
import { STARTS, startText } from './starts';

describe('a message in its frame', () => {
  const hostile = `<html><head><meta http-equiv="refresh" content="0;url=https://x.example"><base href="https://x.example">
    <link rel="stylesheet" href="https://x.example/a.css"></head><body><script>alert(1)</script>
    <a href="javascript:alert(1)" target="_top">Here</a><a href="https://x.example/?a=1">There</a>
    <form action="https://x.example"><input></form><iframe src="https://x.example"></iframe>
    <img src="https://x.example/pixel.gif" srcset="https://x.example/2x.gif 2x" alt="Logo"><img src="data:image/gif;base64,R0"></body></html>`;

  it('runs nothing, leads nowhere and fetches nothing', () => {
    const parsed = new DOMParser().parseFromString(framed(hostile, 'desktop'), 'text/html');
    expect(parsed.querySelectorAll('script, base, link, iframe, form, [http-equiv=refresh]')).toHaveLength(0);
    expect([...parsed.querySelectorAll('a')].map((link) => link.getAttribute('href'))).toEqual(['#', '#']);
    expect(parsed.querySelectorAll('a')[1]?.title).toBe('https://x.example/?a=1');
    const pictures = [...parsed.querySelectorAll('img')].map((one) => one.getAttribute('src'));
    expect(pictures).toEqual([null, 'data:image/gif;base64,R0']);
    expect(parsed.head.firstElementChild?.getAttribute('content')).toContain("default-src 'none'");
    expect(hasFarPictures(hostile)).toBe(true);
  });

  it('is turned over in the dark, unless it has colours of its own for it', () => {
    expect(framed('<p>a</p>', 'dark')).toContain('invert(1)');
    const own = '<style>@media (prefers-color-scheme: dark) { p { color: #fff } }</style><p>a</p>';
    expect(framed(own, 'dark')).not.toContain('invert(1)');
    expect(framed('<p>a</p>', 'desktop')).not.toContain('invert(1)');
  });
});

describe('files of a template', () => {
  it('stand by language, the designed form first; others are left out', () => {
    const names = [
      'welcome.ru.mjml',
      'welcome.txt',
      'welcome.en.txt',
      'welcome.en.mjml',
      'other.en.txt',
      'welcome.a.b.txt',
    ];
    expect(sortedNames('welcome', names).map((one) => one.name)).toEqual([
      'welcome.txt',
      'welcome.en.mjml',
      'welcome.en.txt',
      'welcome.ru.mjml',
    ]);
  });

  it('begin with a head and a subject, in every language', () => {
    for (const start of STARTS) {
      for (const language of ['en', 'ru', 'ja', 'de']) {
        expect(startText(start, language), `${start} ${language}`).toMatch(
          /^---\nsubject: ".+"\nkind: \w+\n---\n./,
        );
      }
    }
  });
});
