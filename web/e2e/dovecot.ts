/**
 * A private Dovecot with mailboxes in Maildir: a real mail server for what reads mail.
 *
 * As root its processes run as the package's user, otherwise as the caller. Mail is filed by writing it into the
 * folder, which the server finds by itself. Where Dovecot is not installed there is none: `dovecotIsThere` says so.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PROGRAMS = ['/usr/sbin/dovecot', '/usr/local/sbin/dovecot', '/opt/homebrew/sbin/dovecot'];
const START_MS_MAX = 15_000;
const STOP_MS_MAX = 5_000;

export type MailServer = {
  port: number;
  /** Files a mail as if it had been received then. */
  file: (user: string, folder: string, mail: string | Uint8Array, at?: Date) => void;
  stop: () => Promise<void>;
};

export function dovecotIsThere(): boolean {
  const there = PROGRAMS.some((one) => existsSync(one));
  if (!there && process.env.CI === 'true') {
    throw new Error('dovecot is not installed: apt-get install dovecot-imapd');
  }
  return there;
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

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', (bytes) => end(bytes.toString('latin1').startsWith('* OK')));
    socket.once('error', () => end(false));
    socket.setTimeout(1_000, () => end(false));
  });
}

/** Starts a server with these mailboxes, each with its folder of sent mail. */
export async function startDovecot(users: Record<string, string>): Promise<MailServer> {
  const program = PROGRAMS.find((one) => existsSync(one)) ?? 'dovecot';
  const folder = mkdtempSync(join(tmpdir(), 'relance-dovecot-'));
  chmodSync(folder, 0o755);
  const id = (...options: string[]) => execFileSync('id', options, { encoding: 'utf8' }).trim();
  const isRoot = process.getuid?.() === 0;
  const owner = isRoot ? 'dovecot' : id('-un');
  const group = isRoot ? 'dovecot' : id('-gn');
  const [uid, gid] = [Number(id('-u', owner)), Number(id('-g', owner))];
  const own = (path: string) => isRoot && chownSync(path, uid, gid);
  const make = (path: string) => {
    mkdirSync(path, { recursive: true });
    own(path);
  };
  for (const name of ['run', 'mail']) {
    make(join(folder, name));
  }
  const maildir = (user: string, name: string) =>
    name === 'INBOX' ? join(folder, 'mail', user) : join(folder, 'mail', user, `.${name}`);
  for (const user of Object.keys(users)) {
    make(join(folder, 'mail', user));
    for (const name of ['INBOX', 'Sent']) {
      make(maildir(user, name));
      for (const part of ['cur', 'new', 'tmp']) {
        make(join(maildir(user, name), part));
      }
    }
  }
  const list = Object.entries(users).map(([user, password]) => `${user}:{PLAIN}${password}\n`);
  writeFileSync(join(folder, 'users'), list.join(''));
  const port = await freePort();
  const config = CONFIG.replaceAll('@DIR@', folder)
    .replaceAll('@OWNER@', owner)
    .replaceAll('@GROUP@', group)
    .replaceAll('@PORT@', String(port));
  writeFileSync(join(folder, 'dovecot.conf'), config);
  const child: ChildProcess = spawn(program, ['-F', '-c', join(folder, 'dovecot.conf')], { stdio: 'ignore' });
  const log = () => (existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8') : '');
  for (const until = Date.now() + START_MS_MAX; !(await greets(port)); ) {
    if (child.exitCode !== null || Date.now() > until) {
      child.kill('SIGKILL');
      throw new Error(`dovecot does not start:\n${log()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  let filed = 0;
  return {
    port,
    file: (user, name, mail, at = new Date()) => {
      filed += 1;
      const file = `${Math.floor(at.getTime() / 1000)}.filed${filed}.localhost`;
      const path = join(maildir(user, name), 'tmp', file);
      writeFileSync(path, mail);
      own(path);
      utimesSync(path, at, at);
      renameSync(path, join(maildir(user, name), 'new', file));
    },
    stop: async () => {
      if (child.exitCode === null) {
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGTERM');
        const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
        await ended;
        clearTimeout(late);
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const CONFIG = `
base_dir = @DIR@/run
state_dir = @DIR@/run
log_path = @DIR@/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
default_internal_user = @OWNER@
default_internal_group = @GROUP@
default_login_user = @OWNER@
first_valid_uid = 1
mail_location = maildir:@DIR@/mail/%u
mail_uid = @OWNER@
mail_gid = @GROUP@
mail_fsync = never
mailbox_list_index = no
mail_max_userip_connections = 100
mailbox_idle_check_interval = 1s
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%u @DIR@/users
}
userdb {
  driver = static
  args = uid=@OWNER@ gid=@GROUP@ home=@DIR@/mail/%u
}
namespace inbox {
  inbox = yes
  mailbox Sent {
    auto = create
    special_use = \\Sent
  }
}
service imap-login {
  chroot =
  inet_listener imap {
    port = @PORT@
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
`;
