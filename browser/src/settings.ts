import type { Settings } from "./contract.js";

/** Settings as the server tells them and people write them: seconds, named as in the README. */
export interface Seconds {
  retry_attempts?: number;
  retry_delay?: number;
  retry_delay_max?: number;
  retry_jitter?: number;
  connect_timeout?: number;
  cleanup_timeout?: number;
  warn_before?: number[];
  render_wait?: number;
  quit_floor?: number;
}

/** What the server may tell: its policy, too. */
export type ServerSettings = Seconds & { policy_url?: string; policy_sha256?: string };

/** What the driver goes by. */
export interface Timing {
  /** For the policy. */
  policy: Settings;
  /** The session never ends sooner than this after the loss, milliseconds. */
  quitFloor: bigint;
}

/** The defaults of the contract and of the host. */
const DEFAULTS: Required<Seconds> = {
  retry_attempts: 5,
  retry_delay: 2,
  retry_delay_max: 10,
  retry_jitter: 0.5,
  connect_timeout: 10,
  cleanup_timeout: 300,
  warn_before: [60, 10],
  render_wait: 0,
  quit_floor: 10,
};

/** What cannot be used is left at its default: a page must not fail over what a server says. */
export function timing(given: Seconds = {}): Timing {
  const number = (name: Exclude<keyof Seconds, "warn_before">): number => {
    const value: unknown = given[name];
    return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : DEFAULTS[name];
  };
  const millis = (seconds: number): bigint => BigInt(Math.round(seconds * 1000));
  const warnings: unknown = given.warn_before;
  const warnBefore = Array.isArray(warnings)
    ? warnings.filter((it): it is number => Number.isFinite(it) && it >= 0)
    : DEFAULTS.warn_before;
  return {
    policy: {
      retryAttempts: Math.min(Math.floor(number("retry_attempts")), 0xffff_ffff),
      retryDelay: millis(number("retry_delay")),
      retryDelayMax: millis(number("retry_delay_max")),
      retryJitter: millis(number("retry_jitter")),
      connectTimeout: millis(number("connect_timeout")),
      cleanupTimeout: millis(number("cleanup_timeout")),
      warnBefore: BigUint64Array.from(warnBefore, millis),
      renderWait: millis(number("render_wait")),
    },
    quitFloor: millis(number("quit_floor")),
  };
}
