import type { Clock } from "./clock.js";
import type { Action, ConnectError, Decision, Loss, Outcome, Place, Request, State } from "./contract.js";
import { outageOf } from "./contract.js";
import { randomEntropy, sharedEntropy } from "./entropy.js";
import { Guard } from "./guard.js";
import type { Judging } from "./judging.js";
import type { Call } from "./policy/policy.js";
import type { Timing } from "./settings.js";
import { type Steps, Turns } from "./turns.js";

/** What the driver has done. */
export interface Effects {
  /** Begin one attempt to connect; it is answered by `connected` or `failed`. One under way is given up. */
  connect(timeoutMs: number): void;
  /** Tell the person that so much is left, milliseconds. */
  warn(left: number): void;
  /** Clear the stores; it is answered by `saved`. */
  save(place: Place): void;
  /** End the session. */
  quit(): void;
  /** The state has changed. */
  changed(): void;
}

/** An outage as it is kept over a reload. */
export interface Kept {
  state: State;
  wakeAt: bigint | undefined;
  /** The deadline of the last countdown. */
  deadline: bigint | undefined;
  /** The session has ended. */
  ended: boolean;
}

/** A wake-up that comes later than this was held up: the tab was in the background, or the computer asleep. */
const LATE_AFTER = 1_000n;
/** When nobody could decide, the next try is this much later. */
const RETRY_DECISION = 1_000n;
/** A policy is never woken sooner than this after a decision. */
const FLOOR = 10n;
/** No more than this is caught up on at once. */
const CATCH_UP_MAX = 2_000;

/** They wait for what a policy decides that does not answer at once. */
type Deciding = Steps<Decision | undefined>;

/** An attempt under way. */
interface Attempt {
  begun: bigint;
  /** Nobody counts it: a look whether the server is there. */
  probe: boolean;
}

/**
 * State and moment in, decision out, effects done.
 *
 * Blender runs on while this page sleeps or its timers are held up in the background. So what a late
 * wake-up has missed is decided after the fact, each call at the instant that it was due at, and the
 * deadline comes out as Blender's does.
 *
 * A policy may answer later: what happens meanwhile is decided after it, in its order.
 */
export class Driver {
  readonly guard: Guard;
  readonly #turns = new Turns<Decision | undefined>();
  #state: State;
  #wakeAt: bigint | undefined;
  #deadline: bigint | undefined;
  #ended = false;
  #attempt: Attempt | undefined;
  /** How long the last attempt took to fail: those that were missed are taken to have failed like it. */
  #failsAfter = 0n;
  /** The deadline has passed unseen: the end waits for this one look at the server. */
  #lastTry = false;
  #callOff: () => void = () => {};
  #closed = false;
  /** The server has accepted, and that has not been decided yet. */
  #accepted = false;

  constructor(
    private readonly clock: Clock,
    private readonly judging: Judging,
    private timing: Timing,
    private readonly username: string,
    private readonly effects: Effects,
  ) {
    const now = clock.now();
    this.guard = new Guard(now);
    this.#state = { phase: { tag: "connected" }, seen: now, memo: new Uint8Array() };
  }

  get state(): State {
    return this.#state;
  }

  /** When Blender saves and closes, if a countdown runs or has run out in this outage. */
  get deadline(): bigint | undefined {
    return this.#deadline;
  }

  /** The session has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  kept(): Kept {
    return { state: this.#state, wakeAt: this.#wakeAt, deadline: this.#deadline, ended: this.#ended };
  }

  /** Nothing is connected yet. */
  start(): void {
    this.#turns.take(() => this.#start());
  }

  *#start(): Deciding {
    yield* this.#decide({ name: "start" }, this.clock.now());
    this.#arm();
  }

  /** Does it when all that has come before is decided. */
  then(next: () => void): void {
    this.#turns.take(next);
  }

  /** Goes on where another page was. */
  resume(kept: Kept): void {
    this.#turns.take(() => this.#resume(kept));
  }

  *#resume(kept: Kept): Deciding {
    const outage = outageOf(kept.state.phase);
    if (outage === undefined) {
      yield* this.#start();
      return;
    }
    this.#take(kept, outage.lostAt);
    yield* this.#wake();
    this.#probe();
    this.effects.changed();
  }

  /** Another page of this user has lost the server before, and has decided more: its countdown is ours. */
  adopt(kept: Kept): void {
    this.#turns.take(() => this.#adopt(kept));
  }

  *#adopt(kept: Kept): Deciding {
    const outage = outageOf(kept.state.phase);
    if (outage === undefined || this.guard.isConnected || this.#ended) {
      return;
    }
    this.#take(kept, outage.lostAt);
    yield* this.#wake();
    this.effects.changed();
  }

  #take(kept: Kept, lostAt: bigint): void {
    this.#state = kept.state;
    this.#wakeAt = kept.wakeAt ?? this.clock.now();
    this.#deadline = kept.deadline;
    this.#ended = kept.ended;
    this.guard.resume(lostAt, kept.ended);
    if (kept.state.phase.tag === "saving") {
      // The page that cleared the stores is gone, or does so itself.
      this.effects.save(kept.state.phase.val.place);
    }
  }

  /** The server accepted. */
  connected(): void {
    this.#accepted = true;
    this.#turns.take(() => this.#connected());
  }

  *#connected(): Deciding {
    this.#accepted = false;
    this.#attempt = undefined;
    this.#lastTry = false;
    this.guard.connected();
    yield* this.#decide({ name: "on-connect" }, this.clock.now());
    if (this.#state.phase.tag !== "connected") {
      this.#state = { ...this.#state, phase: { tag: "connected" } };
    }
    this.#deadline = undefined;
    this.#ended = false;
    this.#arm();
    this.effects.changed();
  }

  /** The attempt has failed. */
  failed(why: ConnectError): void {
    this.#turns.take(() => this.#failed(why));
  }

  *#failed(why: ConnectError): Deciding {
    const now = this.clock.now();
    const attempt = this.#attempt;
    const looked = this.#lastTry;
    this.#attempt = undefined;
    this.#lastTry = false;
    if (attempt === undefined) {
      return;
    }
    // A page that was held up hears of it late: it is taken to have failed as the last ones have.
    const late = this.#isLate(now);
    if (!late) {
      this.#failsAfter = now - attempt.begun;
    }
    if (looked) {
      // The server is away still: what is due is decided now.
      yield* this.#decide({ name: "tick" }, now);
      this.#arm();
    } else if (attempt.probe || late) {
      yield* this.#wake();
    } else {
      yield* this.#decide({ name: "on-connect-error", why }, now);
      this.#arm();
    }
    this.effects.changed();
  }

  /** The connection was lost. */
  lost(why: Loss): void {
    this.#turns.take(() => this.#lost(why));
  }

  *#lost(why: Loss): Deciding {
    const now = this.clock.now();
    this.guard.lost(now);
    this.#ended = false;
    this.#failsAfter = 0n;
    yield* this.#decide({ name: "on-disconnect", why }, now);
    this.#arm();
    this.effects.changed();
  }

  /** The stores are cleared, or could not be. */
  saved(outcome: Outcome): void {
    this.#turns.take(() => this.#saved(outcome));
  }

  *#saved(outcome: Outcome): Deciding {
    if (this.#state.phase.tag !== "saving") {
      return;
    }
    this.guard.saveAnswered();
    yield* this.#decide({ name: "on-saved", outcome }, this.clock.now());
    this.#arm();
    this.effects.changed();
  }

  /** A person asks for something. */
  request(request: Request): void {
    this.#turns.take(() => this.#request(request));
  }

  *#request(request: Request): Deciding {
    if (this.guard.isConnected || this.#ended) {
      return;
    }
    yield* this.#decide({ name: "on-request", request }, this.clock.now());
    this.#arm();
    this.effects.changed();
  }

  /** Looks whether the server is there, beside the policy's attempts. */
  probe(): void {
    this.#turns.take(() => this.#probe());
  }

  #probe(): void {
    if (this.#closed || this.guard.isConnected || this.#attempt !== undefined) {
      return;
    }
    this.#attempt = { begun: this.clock.now(), probe: !this.#isUnderWay() };
    this.effects.connect(Number(this.timing.policy.connectTimeout));
  }

  /** Other settings from now on. */
  configure(timing: Timing): void {
    this.timing = timing;
  }

  /** Another policy decides: it is woken at once. */
  swapped(): void {
    this.#turns.take(() => this.#swapped());
  }

  *#swapped(): Deciding {
    if (outageOf(this.#state.phase) !== undefined) {
      this.#wakeAt = this.clock.now();
      yield* this.#wake();
      this.effects.changed();
    }
  }

  /** Nothing happens any more. */
  close(): void {
    this.#closed = true;
    this.#turns.clear();
    this.#callOff();
  }

  #isUnderWay(): boolean {
    return outageOf(this.#state.phase)?.attempt.tag === "under-way";
  }

  /** Time has passed. */
  *#wake(): Deciding {
    const now = this.clock.now();
    if (this.#lastTry) {
      return;
    }
    if (this.#isLate(now) && this.#isCounted()) {
      yield* this.#catchUp(now);
      if (this.#deadline !== undefined && this.#deadline <= now && this.#isCounted()) {
        // The end would come as a surprise: the server is looked for first.
        this.#lastTry = true;
        this.#callOff();
        this.#attempt = undefined;
        this.#probe();
        return;
      }
      this.#probe();
    }
    if (this.#wakeAt !== undefined && this.#wakeAt <= now) {
      yield* this.#decide({ name: "tick" }, now);
    }
    this.#arm();
  }

  #isLate(now: bigint): boolean {
    return this.#wakeAt !== undefined && this.#wakeAt + LATE_AFTER < now;
  }

  #isCounted(): boolean {
    return this.#state.phase.tag === "reconnecting" || this.#state.phase.tag === "counting-down";
  }

  /** Decides what was missed, as if every attempt in it had failed. */
  *#catchUp(now: bigint): Deciding {
    this.#attempt = undefined;
    for (let calls = 0; calls < CATCH_UP_MAX && this.#isCounted(); calls += 1) {
      const fails = this.#wouldFailAt();
      const wakes = this.#wakeAt ?? now + 1n;
      const at = fails !== undefined && fails < wakes ? fails : wakes;
      if (at > now || (this.#deadline !== undefined && this.#deadline <= at)) {
        return;
      }
      yield* this.#decide(at === fails ? { name: "on-connect-error", why: "unreachable" } : { name: "tick" }, at, false);
    }
  }

  /** When the attempt under way has failed, if it is like the last one. */
  #wouldFailAt(): bigint | undefined {
    const attempt = outageOf(this.#state.phase)?.attempt;
    if (attempt?.tag !== "under-way") {
      return undefined;
    }
    const fails = attempt.val - this.timing.policy.connectTimeout + this.#failsAfter;
    return fails > this.#state.seen ? fails : this.#state.seen;
  }

  *#decide(call: Call, now: bigint, really = true): Deciding {
    const before = this.#state;
    const attempts = outageOf(before.phase)?.attempts ?? 0;
    // The first attempts are Blender's, too; those of a countdown spread everybody anew.
    const shared = this.username !== "" && (before.phase.tag === "connected" || before.phase.tag === "reconnecting");
    const answer = this.judging.decide(this.guard, call, before, {
      now,
      entropy: shared ? sharedEntropy(this.username, attempts) : randomEntropy(),
      settings: this.timing.policy,
    });
    const decision = answer instanceof Promise ? yield answer : answer;
    if (this.#closed) {
      return;
    }
    if (decision === undefined) {
      this.#wakeAt = now + RETRY_DECISION;
      return;
    }
    this.#carryOut(decision, now, really);
  }

  #carryOut(decision: Decision, now: bigint, really: boolean): void {
    this.#state = decision.state;
    const floor = now + FLOOR;
    this.#wakeAt = decision.wakeAt === undefined || decision.wakeAt > floor ? decision.wakeAt : floor;
    if (decision.state.phase.tag === "counting-down") {
      this.#deadline = decision.state.phase.val.deadline;
    }
    for (const action of decision.actions) {
      if (really) {
        this.#act(action, now);
      }
    }
  }

  #act(action: Action, now: bigint): void {
    if (this.#accepted && (action.tag === "save" || action.tag === "quit")) {
      return; // a policy that took its time, and the server is back meanwhile
    }
    switch (action.tag) {
      case "connect":
        this.#attempt = { begun: now, probe: false };
        this.effects.connect(Number(this.timing.policy.connectTimeout));
        break;
      case "warn":
        this.effects.warn(Number(action.val));
        break;
      case "save":
        this.guard.saveAsked();
        this.effects.save(action.val);
        break;
      case "quit":
        this.#quit();
        break;
    }
  }

  /** Ends the session, no earlier than the floor after the loss. */
  #quit(): void {
    const left = this.guard.lostAt + this.timing.quitFloor - this.clock.now();
    const lostAt = this.guard.lostAt;
    const quit = (): void =>
      this.#turns.take(() => {
        if (!this.#closed && this.#state.phase.tag === "quitting" && this.guard.lostAt === lostAt) {
          this.#ended = true;
          this.effects.quit();
          this.effects.changed();
        }
      });
    if (left > 0n) {
      this.clock.after(Number(left), quit);
    } else {
      quit();
    }
  }

  #arm(): void {
    this.#callOff();
    if (this.#closed || this.#wakeAt === undefined || this.#lastTry) {
      return;
    }
    const left = this.#wakeAt - this.clock.now();
    this.#callOff = this.clock.after(Number(left), () => this.#turns.take(() => this.#woken()));
  }

  *#woken(): Deciding {
    yield* this.#wake();
    this.effects.changed();
  }
}
