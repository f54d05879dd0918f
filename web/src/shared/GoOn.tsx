import { useRouter } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';

/**
 * Leads on to another place of the interface, once, and leaves no step back.
 *
 * The router's own `Navigate` goes at every render; where the page that is left is drawn again on the way, that has no end.
 */
export function GoOn({ to }: { to: string }) {
  const router = useRouter();
  const went = useRef(false);
  useEffect(() => {
    if (!went.current) {
      went.current = true;
      router.history.replace(to);
    }
  }, [router, to]);
  return null;
}
