import { type Decision, type Moment, type Phase, outageOf } from "./contract.js";
import type { Call } from "./policy/policy.js";

/** A decision broke a rule. */
export class Violation extends Error {
  override name = "Violation";
}

const ACTIONS_MAX = 16;
const MEMO_MAX = 4096;
/** Nobody sleeps longer in an outage, milliseconds. */
const WAKE_WITHIN = 86_400_000n;

/**
 * What no policy can break, as far as it concerns a page: the host's guard
 * (host/core/src/guard) without what is about a person's hold and the disk.
 */
export class Guard {
  #connected = false;
  #lostAt: bigint;
  #saveAnswered = false;

  constructor(now: bigint) {
    this.#lostAt = now;
  }

  get isConnected(): boolean {
    return this.#connected;
  }

  /** When the server was lost; while it is connected: when it was lost last. */
  get lostAt(): bigint {
    return this.#lostAt;
  }

  connected(): void {
    this.#connected = true;
    this.#saveAnswered = false;
  }

  /** A second loss in the same outage changes nothing. */
  lost(now: bigint): void {
    if (this.#connected) {
      this.#connected = false;
      this.#lostAt = now;
    }
  }

  /** An outage that another page has begun. */
  resume(lostAt: bigint, saveAnswered: boolean): void {
    this.#connected = false;
    this.#lostAt = lostAt;
    this.#saveAnswered = saveAnswered;
  }

  saveAnswered(): void {
    this.#saveAnswered = true;
  }

  /** A save is asked for: what was answered before does not count any more. */
  saveAsked(): void {
    this.#saveAnswered = false;
  }

  /** Throws Violation. */
  check(before: Phase, call: Call, moment: Moment, decision: Decision): void {
    const { state, actions, wakeAt } = decision;
    const phase = state.phase;
    if (state.seen !== moment.now) {
      throw new Violation(`its state was seen at ${state.seen}, but it is ${moment.now}`);
    }
    if ((phase.tag === "connected") !== this.#connected) {
      throw new Violation(`its phase is ${phase.tag} although the server is ${this.#connected ? "connected" : "lost"}`);
    }
    if (actions.length > ACTIONS_MAX || state.memo.byteLength > MEMO_MAX) {
      throw new Violation(`it answered with ${actions.length} actions and ${state.memo.byteLength} bytes of memo`);
    }
    const count = (tag: string): number => actions.filter((action) => action.tag === tag).length;
    if (count("connect") > 1) {
      throw new Violation("it asked for more than one attempt at once");
    }
    const [saves, quits] = [count("save"), count("quit")];
    if (this.#connected) {
      if (saves + quits > 0) {
        throw new Violation("it asked for a save or to quit while the server is connected");
      }
      return;
    }
    if (phase.tag === "held") {
      throw new Violation("it holds although nobody asked for it");
    }
    this.#checkTimes(phase, moment.now, wakeAt);
    this.#checkSaves(before, call, decision, saves, quits);
  }

  #checkTimes(phase: Phase, now: bigint, wakeAt: bigint | undefined): void {
    if (wakeAt === undefined) {
      throw new Violation("it left an outage without asking to be woken");
    }
    const attempt = outageOf(phase)?.attempt.val ?? now;
    if (wakeAt - now > WAKE_WITHIN || attempt - now > WAKE_WITHIN) {
      throw new Violation("it asked to be woken, or to connect, in more than a day");
    }
  }

  #checkSaves(before: Phase, call: Call, decision: Decision, saves: number, quits: number): void {
    const phase = decision.state.phase;
    if (quits > 0 && phase.tag !== "quitting") {
      throw new Violation(`its phase ${phase.tag} and its actions do not fit: it asked to quit`);
    }
    if (saves > 0 && phase.tag !== "saving") {
      throw new Violation(`its phase ${phase.tag} and its actions do not fit: it asked for a save`);
    }
    if (phase.tag === "saving") {
      const running = before.tag === "saving" && call.name !== "on-saved";
      const wanted = running && before.val.place === phase.val.place ? 0 : 1;
      const fits = decision.actions.every((it) => it.tag !== "save" || it.val === phase.val.place);
      if (saves !== wanted || !fits) {
        throw new Violation("its phase saving and its actions do not fit");
      }
    }
    if (phase.tag === "quitting") {
      if (before.tag !== "quitting" && quits === 0) {
        throw new Violation("its phase quitting and its actions do not fit: quit was not asked for");
      }
      if (quits > 0 && !this.#saveAnswered) {
        throw new Violation("it asked to quit before a save was answered");
      }
    }
  }
}
