/**
 * Sends a file as it lies on the disk: the browser reads it piece by piece, so its size does not matter.
 *
 * `fetch` tells nothing of how far a body has gone, hence the older way.
 */
import { Failure, type Problem } from '../../api/problem';
import { session } from '../../api/session';
import type { Job } from './api';

/** As the server limits it. */
export const UPLOAD_BYTES_MAX = 8 * 1024 ** 3;

export type Told = { encoding?: string; delimiter?: string; header?: string; sheet?: string };

export async function upload(
  file: File,
  told: Told,
  onProgress: (share: number) => void,
  signal: AbortSignal,
): Promise<Job> {
  const first = await once(file, told, onProgress, signal);
  if (first.status !== 401) {
    return settled(first);
  }
  await session.signInAgain();
  return settled(await once(file, told, onProgress, signal));
}

type Answer = { status: number; text: string };

function once(
  file: File,
  told: Told,
  onProgress: (share: number) => void,
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const query = new URLSearchParams({ name: file.name.slice(0, 200), ...told });
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    signal.addEventListener('abort', stop);
    request.open('POST', `/api/v1/imports?${query}`);
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    if (session.csrf !== undefined) {
      request.setRequestHeader('X-Relance-Csrf', session.csrf);
    }
    request.upload.onprogress = (event) => {
      if (event.lengthComputable && event.total > 0) {
        onProgress(event.loaded / event.total);
      }
    };
    request.onload = () => resolve({ status: request.status, text: request.responseText });
    request.onerror = () => reject(new Failure(0, { code: 'unreachable' }));
    request.onabort = () => reject(new DOMException('stopped', 'AbortError'));
    request.onloadend = () => signal.removeEventListener('abort', stop);
    request.send(file);
  });
}

function settled({ status, text }: Answer): Job {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Failure(status, { code: 'failed', detail: `${status}` });
  }
  if (status >= 200 && status < 300) {
    return body as Job;
  }
  throw new Failure(status, body as Problem);
}
