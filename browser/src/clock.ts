/**
 * Time for the policy and for the page.
 *
 * Instants are milliseconds that grow with `performance.now()`: setting the computer's clock moves
 * nothing. They begin at the time of day, so that an instant can outlive the page (see `record.ts`).
 * Where the browser lets `performance.now()` stand still while the computer sleeps, they stand
 * still, too, as the contract has it.
 */
export interface Clock {
  /** The present instant. */
  now(): bigint;
  /** The time of day, milliseconds: only to carry instants from one page to the next. */
  wall(): number;
  /** Calls back after so many milliseconds, or a good while later; the answer calls it off. */
  after(ms: number, then: () => void): () => void;
}

/** The longest time that `setTimeout` takes. */
const TIMEOUT_MAX = 2 ** 31 - 1;

/** The page's own clock. */
export function pageClock(): Clock {
  const start = Date.now() - performance.now();
  return {
    now: () => BigInt(Math.floor(start + performance.now())),
    wall: () => Date.now(),
    after(ms, then) {
      const timer = setTimeout(then, Math.min(Math.max(ms, 0), TIMEOUT_MAX));
      return () => clearTimeout(timer);
    },
  };
}
