import type { Loss } from "./contract.js";
import { outageOf } from "./contract.js";
import type { Driver } from "./driver.js";
import type { PolicyStatus } from "./judging.js";
import type { Offer } from "./offers.js";
import type { Blender } from "./relaunch.js";

/** Where the page stands. */
export type PageState =
  /** Before `connect`, and after `disconnect`. */
  | "idle"
  /** The first attempt of all is under way. */
  | "connecting"
  | "connected"
  /** Lost, within the first attempts. */
  | "reconnecting"
  /** Blender saves and closes at `endsAt`. */
  | "unreachable"
  /** The stores are being cleared. */
  | "ending"
  /** The session has ended; the server is still looked for. */
  | "closed";

/** What a clean-up has done, as Blender has told the server: a line of docs/journal.md. */
export type CleanupReport = { readonly [field: string]: unknown };

/** All that a page can show. Instants are those of `Client.now()`, milliseconds. */
export interface Status {
  state: PageState;
  /** Of the first attempts, the one that is under way or was last. */
  attempt: number;
  /** How many first attempts there are. */
  attempts: number;
  /** When the server was lost. */
  lostAt: number | undefined;
  /** When Blender saves and closes. */
  endsAt: number | undefined;
  /** How long the countdown is, milliseconds. */
  countdown: number;
  why: Loss | undefined;
  /** How the last attempt failed. */
  lastError: string | undefined;
  /** The server is there, and refuses this page: why, in its words. */
  refused: string | undefined;
  policy: PolicyStatus | undefined;
  /** Why another policy was not taken. */
  policyRefused: string | undefined;
  blender: Blender;
  /** The server speaks Lifeline's own events, too: it tells settings, and what Blender has saved. */
  extended: boolean;
  /** The file that Blender had open last; "": it had no name. */
  file: string | undefined;
  /** Of the last outage, once Blender has told it; the next loss clears it. */
  report: CleanupReport | undefined;
  /** Unsaved work that Blender has found, newest first. */
  offers: readonly Offer[];
}

/** What the driver knows of it. */
export function standing(
  driver: Driver,
  attempts: number,
  everConnected: boolean,
): Pick<Status, "state" | "attempt" | "attempts" | "lostAt" | "endsAt" | "why"> {
  const phase = driver.state.phase;
  const outage = outageOf(phase);
  const first = phase.tag === "reconnecting" && phase.val.attempts === 0 && !everConnected;
  return {
    state: driver.ended ? "closed" : first && phase.val.attempt.tag === "under-way" ? "connecting" : STATES[phase.tag],
    attempt: outage === undefined ? 0 : Math.min(nextAttempt(outage), attempts),
    attempts,
    lostAt: outage === undefined ? undefined : Number(outage.lostAt),
    endsAt: driver.deadline === undefined ? undefined : Number(driver.deadline),
    why: outage?.why,
  };
}

/** The attempt that is under way, or comes next. */
function nextAttempt(outage: { attempts: number; attempt: { tag: string } }): number {
  return outage.attempt.tag === "under-way" ? outage.attempts : outage.attempts + 1;
}

const STATES = {
  connected: "connected",
  reconnecting: "reconnecting",
  "counting-down": "unreachable",
  saving: "ending",
  quitting: "ending",
  held: "unreachable",
} as const;
