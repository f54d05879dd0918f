/** How a mailbox stands, in colours; and who may change it. */
import { useMay, useSession } from '../../shell/useSession';
import type { Mailbox, State } from './calls';

export const COLOURS: Record<State, string> = {
  starting: 'blue',
  synchronising: 'blue',
  live: 'green',
  failing: 'red',
  login_refused: 'red',
  silent: 'orange',
  paused: 'gray',
};

/** What wants a person first, then what goes on, then what is well. */
const RANKS: State[] = ['login_refused', 'failing', 'silent', 'synchronising', 'starting', 'live', 'paused'];

export function byUrgency(one: Mailbox, other: Mailbox): number {
  return RANKS.indexOf(one.state) - RANKS.indexOf(other.state) || one.address.localeCompare(other.address);
}

export const isReading = ({ state }: Mailbox) => state === 'starting' || state === 'synchronising';

/** From 0 to 100; nothing while it is not known how much there is. */
export function percentOf({ progress }: Mailbox): number | undefined {
  const total = progress?.total ?? 0;
  return progress == null || total <= 0 ? undefined : Math.min(100, (100 * progress.done) / total);
}

export type Rights = {
  /** Whether somebody else's may be connected too. */
  any: boolean;
  /** Whether anything may be connected. */
  connect: boolean;
  /** The person's own address. */
  own: string | undefined;
};

/** An admin connects every mailbox, others their own. */
export function useRights(): Rights {
  const may = useMay();
  const own = useSession()?.user?.address;
  const any = may('settings');
  return { any, connect: any || (may('work') && own !== undefined), own };
}
