import { screen } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';
import { Failure } from '../api/problem';
import { show } from '../testing/render';
import { speak } from '../words';
import { ProblemNote } from './ProblemNote';

const gone = new Failure(404, { code: 'not_found', detail: 'there is no such contact' });
const refused = new Failure(422, {
  code: 'bad_setting',
  detail: 'zone: "Mars" is no time zone; write one such as Europe/Paris',
});
const newer = new Failure(409, { code: 'not_invented_yet', detail: 'the moon is full; wait' });

describe('a problem', () => {
  afterEach(() => speak('en'));

  it('is told in the language of the reader, with what to do', async () => {
    await speak('ru');
    show(<ProblemNote error={gone} />);
    expect(screen.getByText('Этого нет')).toBeVisible();
    expect(screen.getByText(/Вернитесь к списку/)).toBeVisible();
    expect(screen.queryByText(/no such contact/)).toBeNull();
  });

  it('names in English what our words cannot know', async () => {
    await speak('ja');
    show(<ProblemNote error={refused} />);
    expect(screen.getByText('この値は使えません')).toBeVisible();
    expect(screen.getByText(/もう一度保存してください/)).toBeVisible();
    expect(screen.getByText(/"Mars" is no time zone/)).toHaveAttribute('lang', 'en');
  });

  it('says it once in English', () => {
    show(<ProblemNote error={refused} />);
    expect(screen.getByText(/"Mars" is no time zone/)).toBeVisible();
    expect(screen.queryByText(/save again/)).toBeNull();
  });

  it('of a newer server is not kept back', () => {
    show(<ProblemNote error={newer} />);
    expect(screen.getByText('That did not work')).toBeVisible();
    expect(screen.getByText('the moon is full; wait')).toBeVisible();
  });
});
