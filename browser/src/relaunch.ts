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
  /** It was started, and has not connected yet. */
  | "launching"
  /** It still lives, and has not connected yet. */
  | "rejoining"
  | "failed";

export interface Blender {
  state: BlenderState;
  pid: number | undefined;
  error: string | undefined;
  /** Since when, by the page's clock. */
  since: bigint;
}

/** A Blender that lives is asked for again after this long: it may have been at its end. */
const ASK_AGAIN = 3_000;
/** A Blender that was started has connected by now, or something is wrong. */
const LAUNCH_WITHIN = 120_000;
/** An engine that is there answers within this. */
const ANSWER_WITHIN = 15_000;

/**
 * Brings Blender back. There is one Blender for each user because the engine starts one at most: a
 * Blender that lives, counting down or not, is rejoined. Tabs that ask at once are told so.
 */
export class Relauncher {
  #blender: Blender;
  #callOff: () => void = () => {};
  /** Answers to what was asked before this are of no interest. */
  #round = 0;

  constructor(
    private readonly clock: Clock,
    private readonly ask: (timeoutMs: number) => Promise<unknown>,
    private readonly changed: () => void,
  ) {
    this.#blender = { state: "unknown", pid: undefined, error: undefined, since: clock.now() };
  }

  get blender(): Blender {
    return this.#blender;
  }

  /** The server is lost: whatever is under way is void. */
  lost(): void {
    this.#enter("unknown");
  }

  /** The server is back. ms: Blender, if it lives, connects by itself within this. */
  back(ms: number): void {
    if (this.#blender.state === "connected") {
      return;
    }
    if (ms <= 0) {
      this.launch();
      return;
    }
    this.#enter("expected");
    this.#callOff = this.clock.after(ms, () => this.launch());
  }

  connected(): void {
    this.#enter("connected");
  }

  disconnected(): void {
    this.#enter("absent");
  }

  /** Asks for Blender now. */
  launch(): void {
    if (this.#blender.state === "connected") {
      return;
    }
    this.#enter("asking");
    const round = this.#round;
    this.ask(ANSWER_WITHIN).then(
      (answer) => this.#answered(round, answer),
      (error: unknown) => this.#answered(round, { error: error instanceof Error ? error.message : String(error) }),
    );
  }

  #answered(round: number, answer: unknown): void {
    if (round !== this.#round) {
      return;
    }
    const given = (answer ?? {}) as { pid?: unknown; rejoined?: unknown; error?: unknown };
    if (typeof given.pid === "number") {
      this.#enter("launching", { pid: given.pid });
      this.#callOff = this.clock.after(LAUNCH_WITHIN, () =>
        this.#enter("failed", { error: "Blender was started, but has not connected" }),
      );
    } else if (given.rejoined === true) {
      const since = this.#blender.since;
      this.#enter("rejoining");
      this.#callOff = this.clock.after(ASK_AGAIN, () => this.launch());
      this.#blender = { ...this.#blender, since };
    } else {
      this.#enter("failed", { error: typeof given.error === "string" ? given.error : "the server gave no answer" });
    }
  }

  #enter(state: BlenderState, more: { pid?: number; error?: string } = {}): void {
    this.#callOff();
    this.#callOff = () => {};
    this.#round += 1;
    this.#blender = { state, pid: more.pid, error: more.error, since: this.clock.now() };
    this.changed();
  }
}
