import type { Clock } from "./clock.js";

/** How the user's Blender is doing, as far as the server says. */
export type BlenderState =
  /** Nobody has said anything. */
  | "unknown"
  | "connected"
  /** The server is there, Blender is not. */
  | "absent"
  /** The server is back before Blender's end: Blender connects by itself. */
  | "expected"
  | "asking"
  /** It is being started, and has not connected yet. */
  | "launching"
  | "failed";

export interface Blender {
  state: BlenderState;
  /** How far a launch is, in the server's words. */
  progress: string | undefined;
  error: string | undefined;
  /** Since when, by the page's clock; of a launch: since it was asked for. */
  since: bigint;
  /** It is brought back after an outage, and not started for the first time. */
  again: boolean;
}

/** Asks for Blender. true: it is being started; false: the server will say. */
export type Ask = () => Promise<boolean>;

/** An engine that is there has said something by now. */
const ANSWER_WITHIN = 15_000;
/** A Blender that is being started, and of which nothing was said for so long, never connects. */
const LAUNCH_WITHIN = 120_000;
/** An engine that tells no progress is asked again this often: the Blender that it has may have been at its end. */
const ASK_AGAIN = 10_000;

/**
 * Brings Blender back. There is one Blender for each user because the engine starts one at most: one that
 * it has is left alone, however often and from however many tabs it is asked for.
 */
export class Relauncher {
  #blender: Blender;
  #callOff: () => void = () => {};
  /** Answers to what was asked before this are of no interest. */
  #round = 0;
  /** When a launch is given up. */
  #until = 0n;
  /** Whoever was asked tells progress, or is none to be asked twice. */
  #patient = false;

  constructor(
    private readonly clock: Clock,
    private readonly ask: Ask,
    private readonly changed: () => void,
  ) {
    this.#blender = { state: "unknown", progress: undefined, error: undefined, since: clock.now(), again: false };
  }

  get blender(): Blender {
    return this.#blender;
  }

  /** The server is lost: whatever is under way is void. */
  lost(): void {
    this.#enter("unknown", { again: false });
  }

  /** The server is back. ms: Blender, if it lives, connects by itself within this. */
  back(ms: number): void {
    if (this.#blender.state === "connected" || this.#blender.state === "launching") {
      return;
    }
    if (ms <= 0) {
      this.#ask(true);
      return;
    }
    this.#enter("expected", { again: true });
    this.#callOff = this.clock.after(ms, () => this.#ask(true));
  }

  connected(): void {
    this.#enter("connected", { again: false });
  }

  /** It has gone. One that is waited for is waited for still. */
  disconnected(): void {
    if (!this.#isAwaited()) {
      this.#enter("absent");
    }
  }

  /** Somebody wants Blender. One that is there, or is waited for, is not asked for. */
  launch(): void {
    if (this.#blender.state !== "connected" && !this.#isAwaited()) {
      this.#ask(this.#blender.again);
    }
  }

  /** The server starts one. progress: how far it is, if it tells. */
  starting(progress?: string): void {
    const { state, since, progress: before } = this.#blender;
    if (state === "connected") {
      return;
    }
    if (progress !== undefined || state !== "launching") {
      this.#until = this.clock.now() + BigInt(LAUNCH_WITHIN);
    }
    this.#patient ||= progress !== undefined;
    const begun = state === "asking" || state === "launching" ? { since } : {};
    this.#enter("launching", { progress: progress ?? before, ...begun });
    this.#watch();
  }

  /** There will be none. */
  failed(error: string): void {
    if (this.#blender.state !== "connected") {
      this.#enter("failed", { error });
    }
  }

  #isAwaited(): boolean {
    return ["expected", "asking", "launching"].includes(this.#blender.state);
  }

  #ask(again: boolean): void {
    this.#patient = false;
    this.#enter("asking", { again });
    const round = this.#round;
    this.#callOff = this.clock.after(ANSWER_WITHIN, () => this.failed("the server gave no answer"));
    this.ask().then(
      (starts) => {
        if (starts && round === this.#round) {
          this.#patient = true;
          this.starting();
        }
      },
      (error: unknown) => {
        if (round === this.#round) {
          this.failed(error instanceof Error ? error.message : String(error));
        }
      },
    );
  }

  /** Until it is connected, or given up. */
  #watch(): void {
    const left = Number(this.#until - this.clock.now());
    if (left <= 0) {
      this.failed("Blender was started, but has not connected");
      return;
    }
    this.#callOff = this.clock.after(this.#patient ? left : Math.min(left, ASK_AGAIN), () => {
      if (!this.#patient) {
        // What goes wrong with it is told by the silence.
        this.ask().catch(() => {});
      }
      this.#watch();
    });
  }

  #enter(state: BlenderState, more: Partial<Blender> = {}): void {
    this.#callOff();
    this.#callOff = () => {};
    this.#round += 1;
    const { again } = this.#blender;
    this.#blender = { state, progress: undefined, error: undefined, since: this.clock.now(), again, ...more };
    this.changed();
  }
}
