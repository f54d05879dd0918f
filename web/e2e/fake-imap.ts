/** A mailbox on this machine: two folders without mail, one password. As much of IMAP as a reader of mail asks for. */
import { createServer, type Socket } from 'node:net';

export type FakeImap = { port: number; logins: () => number; stop: () => Promise<void> };

export async function startImap(user: string, password: string): Promise<FakeImap> {
  const open = new Set<Socket>();
  let logins = 0;
  const good = Buffer.from(`\0${user}\0${password}`).toString('base64');
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    /** What the next line is an answer to. */
    let awaited: { tag: string; what: 'password' | 'done' } | undefined;
    let rest = '';
    socket.write('* OK ready\r\n');
    const line = (text: string) => {
      if (awaited?.what === 'password') {
        const { tag } = awaited;
        awaited = undefined;
        const isGood = text === good;
        logins += isGood ? 1 : 0;
        socket.write(`${tag} ${isGood ? 'OK' : 'NO [AUTHENTICATIONFAILED]'} done\r\n`);
        return;
      }
      if (awaited?.what === 'done') {
        socket.write(`${awaited.tag} OK done\r\n`);
        awaited = undefined;
        return;
      }
      const [tag = '', command = ''] = text.split(' ', 2);
      switch (command.toUpperCase()) {
        case 'CAPABILITY':
          socket.write('* CAPABILITY IMAP4rev1 AUTH=PLAIN IDLE\r\n');
          break;
        case 'AUTHENTICATE':
          awaited = { tag, what: 'password' };
          socket.write('+ \r\n');
          return;
        case 'LIST':
          socket.write('* LIST () "/" INBOX\r\n* LIST (\\Sent) "/" Sent\r\n');
          break;
        case 'EXAMINE':
          socket.write('* 0 EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n* OK [UIDNEXT 1] next\r\n');
          break;
        case 'UID':
          socket.write(/ SEARCH /i.test(text) ? '* SEARCH\r\n' : '');
          break;
        case 'IDLE':
          awaited = { tag, what: 'done' };
          socket.write('+ idling\r\n');
          return;
        case 'LOGOUT':
          socket.end(`* BYE bye\r\n${tag} OK done\r\n`);
          return;
        default:
      }
      socket.write(`${tag} OK done\r\n`);
    };
    socket.on('data', (bytes) => {
      rest += bytes.toString('latin1');
      for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
        const one = rest.slice(0, end).replace(/\r$/, '');
        rest = rest.slice(end + 1);
        line(one);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    logins: () => logins,
    stop: async () => {
      for (const socket of open) {
        socket.destroy();
      }
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
