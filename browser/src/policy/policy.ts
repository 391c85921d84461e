import type { ConnectError, Decision, Description, Loss, Moment, Outcome, Request, State } from "../contract.js";
import { Fresh, type Make } from "./fresh.js";

/** A call of a policy's function. */
export type Call =
  | { name: "start" }
  | { name: "on-connect" }
  | { name: "on-connect-error"; why: ConnectError }
  | { name: "on-disconnect"; why: Loss }
  | { name: "on-saved"; outcome: Outcome }
  | { name: "on-request"; request: Request }
  | { name: "tick" };

/** At once, or later. */
export type Later<Value> = Value | Promise<Value>;

/** Who decides. */
export interface Policy {
  readonly description: Description;
  /** Of its bytes. */
  readonly sha256: string;
  /** Throws, or rejects with, what the component throws. */
  decide(call: Call, state: State, moment: Moment): Later<Decision>;
  /** It is not asked any more. */
  end?(): void;
}

/** A policy component that was made into JavaScript, and runs here. */
export interface LocalPolicy extends Policy {
  decide(call: Call, state: State, moment: Moment): Decision;
}

/** What jco makes of a component: `generated/policy.d.ts`. One of version 0.1 says nothing of what it departs from. */
export interface Exports {
  describe(): Omit<Description, "departs"> & Partial<Pick<Description, "departs">>;
  start(moment: Moment): Decision;
  onConnect(state: State, moment: Moment): Decision;
  onConnectError(state: State, moment: Moment, why: ConnectError): Decision;
  onDisconnect(state: State, moment: Moment, why: Loss): Decision;
  onSaved(state: State, moment: Moment, outcome: Outcome): Decision;
  onRequest(state: State, moment: Moment, request: Request): Decision;
  tick(state: State, moment: Moment): Decision;
}

/** Each call gets a fresh instance, as in Blender: nothing is kept but the state, and a trap loses nothing. */
export function policyOf(make: Make, sha256: string): LocalPolicy {
  const fresh = new Fresh(make);
  return {
    description: { departs: [], ...fresh.take().describe() },
    sha256,
    decide(call, state, moment) {
      try {
        return ask(fresh.take(), call, state, moment);
      } catch (error) {
        fresh.discard();
        throw error;
      }
    },
  };
}

function ask(policy: Exports, call: Call, state: State, moment: Moment): Decision {
  switch (call.name) {
    case "start":
      return policy.start(moment);
    case "on-connect":
      return policy.onConnect(state, moment);
    case "on-connect-error":
      return policy.onConnectError(state, moment, call.why);
    case "on-disconnect":
      return policy.onDisconnect(state, moment, call.why);
    case "on-saved":
      return policy.onSaved(state, moment, call.outcome);
    case "on-request":
      return policy.onRequest(state, moment, call.request);
    case "tick":
      return policy.tick(state, moment);
  }
}
