/** Who is signed in, outside of React: the client needs it before any page is there. */

type Listener = () => void;

class SessionState {
  csrf: string | undefined;
  /** A call met an ended session: the shell asks the person to sign in again. */
  asks = false;
  #waiting: Array<() => void> = [];
  #listeners = new Set<Listener>();

  /** Resolves when the person has signed in again. */
  signInAgain(): Promise<void> {
    this.asks = true;
    this.#tell();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Somebody signed in: calls that waited are made once more. */
  signedIn(csrf: string | undefined): void {
    this.csrf = csrf;
    this.asks = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) {
      go();
    }
    this.#tell();
  }

  subscribe = (listener: Listener): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #tell(): void {
    for (const listener of this.#listeners) {
      listener();
    }
  }
}

export const session = new SessionState();
