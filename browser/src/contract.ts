/** The contract of `wit/policy.wit`, as jco writes it down from the component. Instants and durations: milliseconds. */
export type {
  Action,
  Attempt,
  ConnectError,
  Countdown,
  Decision,
  Description,
  Instant,
  Loss,
  Moment,
  Outage,
  Phase,
  Place,
  Request,
  Settings,
  State,
} from "../generated/interfaces/cr8-lifeline-types.js";
import type { Outage, Phase } from "../generated/interfaces/cr8-lifeline-types.js";

/** How a save has ended, as the contract has it. */
export type Outcome = { tag: "ok"; val: undefined } | { tag: "err"; val: string };

/** The outage of a phase. */
export function outageOf(phase: Phase): Outage | undefined {
  switch (phase.tag) {
    case "connected":
      return undefined;
    case "counting-down":
    case "saving":
      return phase.val.outage;
    default:
      return phase.val;
  }
}
