/**
 * The program that is looked at, with an empty workspace or with the demonstration.
 *
 * `RELANCE_PROGRAM` names the binary; without it the debug build is taken.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const START_MS_MAX = 30_000;
const STOP_MS_MAX = 10_000;

export type Server = {
  url: string;
  data: string;
  /** A token for everything of the API. */
  token: string;
  /** For events. */
  writeKey: string;
  /** Where the first account is made. */
  setupUrl: string;
  /** The management API, by token. */
  api: (method: string, path: string, body?: unknown) => Promise<unknown>;
  /** Events, by write key. */
  send: (calls: object[]) => Promise<void>;
  /** Runs a command of the program on this workspace; its output as JSON. */
  command: (...args: string[]) => unknown;
  /** The program ends and begins again, at the same address. */
  restart: () => Promise<void>;
  stop: () => Promise<void>;
};

export function program(): string {
  const named = process.env.RELANCE_PROGRAM;
  const target = process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target');
  const path = named ?? join(target, 'debug/relance');
  if (!existsSync(path)) {
    throw new Error(`${path} is not there: cargo build -p relance, or name the program in RELANCE_PROGRAM`);
  }
  return path;
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address !== null
          ? resolve(address.port)
          : reject(new Error('no port')),
      );
    });
  });
}

async function answers(url: string, child: ChildProcess, output: () => string): Promise<void> {
  const until = Date.now() + START_MS_MAX;
  while (Date.now() < until) {
    if (child.exitCode !== null) {
      throw new Error(`the program ended with ${child.exitCode}:\n${output()}`);
    }
    try {
      if ((await fetch(`${url}/readyz`)).ok) {
        return;
      }
    } catch {
      // Not yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the program does not answer:\n${output()}`);
}

/** An empty workspace and its program. `config` is added to its relance.toml, `files` lie beside it. */
export async function startServer(
  options: { config?: string; files?: Record<string, string> } = {},
): Promise<Server> {
  const data = mkdtempSync(join(tmpdir(), 'relance-e2e-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const command = (...args: string[]): unknown => {
    const done = spawnSync(program(), [...args, '--data', data, '--json'], { encoding: 'utf8' });
    if (done.status !== 0) {
      throw new Error(`relance ${args.join(' ')} ended with ${done.status}: ${done.stderr}`);
    }
    return JSON.parse(done.stdout);
  };
  const made = command('init') as { write_key: string; api_token: string; admin_url: string };
  const { appendFileSync, writeFileSync } = await import('node:fs');
  const file = join(data, 'relance.toml');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^public_url = .*$/m, `public_url = "${url}"`));
  appendFileSync(file, `\n${options.config ?? ''}\n`);
  for (const [name, text] of Object.entries(options.files ?? {})) {
    writeFileSync(join(data, name), text);
  }
  let log = '';
  const begin = async () => {
    const child = spawn(program(), ['serve', '--data', data, '--listen', `127.0.0.1:${port}`]);
    child.stderr.on('data', (text) => {
      log += text;
    });
    child.stdout.on('data', (text) => {
      log += text;
    });
    await answers(url, child, () => log);
    return child;
  };
  let child = await begin();
  const end = async () => {
    if (child.exitCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
      await ended;
      clearTimeout(late);
    }
  };
  return {
    url,
    data,
    token: made.api_token,
    writeKey: made.write_key,
    setupUrl: made.admin_url.replace(/^https?:\/\/[^/]+/, url),
    command,
    api: async (method, path, body) => {
      const answer = await fetch(url + path, {
        method,
        headers: { Authorization: `Bearer ${made.api_token}`, 'Content-Type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (!answer.ok) {
        throw new Error(`${method} ${path}: ${answer.status} ${text}`);
      }
      return text === '' ? undefined : JSON.parse(text);
    },
    send: async (calls) => {
      const answer = await fetch(`${url}/v1/batch`, {
        method: 'POST',
        headers: {
          Authorization: `Basic ${Buffer.from(`${made.write_key}:`).toString('base64')}`,
          'Content-Type': 'application/json',
        },
        body: JSON.stringify({ batch: calls }),
      });
      if (!answer.ok) {
        throw new Error(`batch: ${answer.status} ${await answer.text()}`);
      }
    },
    restart: async () => {
      await end();
      child = await begin();
    },
    stop: async () => {
      await end();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** The demonstration after its thirty days, still there for whoever looks. Answers the link that signs in. */
export async function startDemo(
  days = 30,
): Promise<{ url: string; link: string; stop: () => Promise<void> }> {
  const data = mkdtempSync(join(tmpdir(), 'relance-e2e-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const args = [
    'demo',
    '--data',
    data,
    '--listen',
    `127.0.0.1:${port}`,
    '--days',
    String(days),
    '--speed',
    '0',
  ];
  const child = spawn(program(), args);
  let log = '';
  let told: (link: string) => void = () => undefined;
  const played = new Promise<string>((resolve, reject) => {
    told = resolve;
    child.once('exit', (code) => reject(new Error(`the demonstration ended with ${code}:\n${log}`)));
  });
  child.stdout.resume();
  child.stderr.on('data', (text) => {
    log += text;
    const link = /https?:\/\/\S*\/enter#\S+/.exec(log)?.[0];
    if (link !== undefined && log.includes('stays at')) {
      told(link);
    }
  });
  const link = await played;
  return {
    url,
    link,
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      rmSync(data, { recursive: true, force: true });
    },
  };
}
