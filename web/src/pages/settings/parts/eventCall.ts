/** A first event, as a line for a terminal. */
export function eventCall(url: string, key: string): string {
  const body = { userId: 'first', event: 'Signed Up', traits: { email: 'somebody@example.com' } };
  return `curl -u ${key}: -H 'Content-Type: application/json' \\\n  -d '${JSON.stringify(body)}' \\\n  ${url}/v1/track`;
}
