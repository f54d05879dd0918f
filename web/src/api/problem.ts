/** What the server says when it refuses: RFC 9457, with a code that pages have words for. */
export type Problem = {
  code: string;
  title?: string;
  detail?: string;
  problems?: unknown;
  [more: string]: unknown;
};

export class Failure extends Error {
  constructor(
    /** The HTTP status; 0 when the server could not be reached. */
    readonly status: number,
    readonly problem: Problem,
  ) {
    super(problem.detail ?? problem.code);
  }
}

export async function readProblem(response: Response): Promise<Problem> {
  try {
    const body: unknown = await response.clone().json();
    if (typeof body === 'object' && body !== null && 'code' in body) {
      return body as Problem;
    }
  } catch {
    // Not JSON: something between the server and this page answered.
  }
  return { code: 'failed', detail: `${response.status} ${response.statusText}` };
}

export function failureOf(error: unknown): Failure {
  return error instanceof Failure
    ? error
    : new Failure(0, { code: 'failed', detail: error instanceof Error ? error.message : String(error) });
}
