/**
 * Plays the demonstration once for all files of a run that look at it, when the first of them asks: its thirty days
 * take longer than most tests.
 */
import { createServer } from 'node:http';
import type { TestProject } from 'vitest/node';
import { startDemo } from './program';

type Demo = Awaited<ReturnType<typeof startDemo>>;

/** Signs in by the link, which works once, and answers the state of a browser that did. */
async function signIn({ url, link }: Demo): Promise<object> {
  const answer = await fetch(`${url}/api/v1/session`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ link: new URL(link).hash.slice(1) }),
  });
  if (!answer.ok) {
    throw new Error(`the demonstration lets nobody in: ${answer.status} ${await answer.text()}`);
  }
  const cookies = answer.headers.getSetCookie().map((line) => {
    const [pair = ''] = line.split(';');
    const [name = '', ...value] = pair.split('=');
    const { hostname } = new URL(url);
    const rest = { expires: -1, httpOnly: true, secure: false, sameSite: 'Lax' as const };
    return { name, value: value.join('='), domain: hostname, path: '/', ...rest };
  });
  return { url, state: { cookies, origins: [] } };
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let demo: Promise<Demo> | undefined;
  let told: Promise<object> | undefined;
  const desk = createServer((_asked, answer) => {
    demo ??= startDemo();
    told ??= demo.then(signIn);
    told.then(
      (known) => answer.end(JSON.stringify(known)),
      (error: unknown) => {
        answer.statusCode = 500;
        answer.end(String(error));
      },
    );
  });
  await new Promise<void>((resolve) => desk.listen(0, '127.0.0.1', resolve));
  const place = desk.address();
  const port = typeof place === 'object' && place !== null ? place.port : 0;
  project.provide('demoDesk', `http://127.0.0.1:${port}/`);
  return async () => {
    await demo?.then((one) => one.stop()).catch(() => undefined);
    desk.close();
  };
}
