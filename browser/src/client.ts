import { pageClock } from "./clock.js";
import { Events, type EventMap } from "./events.js";
import { Judging } from "./judging.js";
import { SocketLine } from "./line.js";
import type { Options, Parts } from "./options.js";
import { atServer, isOurs } from "./policy/address.js";
import { builtIn } from "./policy/built_in.js";
import { foreign } from "./policy/foreign.js";
import { Keeper } from "./record.js";
import { type Inside, Session } from "./session.js";
import { type ServerSettings, type Timing, timing } from "./settings.js";
import type { Status } from "./status.js";
import { Observable, type Store } from "./store.js";
import { Tabs } from "./tabs.js";

function page(): Parts {
  return {
    clock: pageClock(),
    // Node.js has a `localStorage` of its own, and complains if it is touched.
    shelf: typeof document === "undefined" ? undefined : localStorage,
    line: (server, file, events) => new SocketLine(server, file, events),
    builtIn,
    foreign,
    tabs: (key, heard) => new Tabs(key, heard),
  };
}

/**
 * The page's half of a Lifeline: it loses the same server as Blender does, asks the same policy, and
 * so knows when Blender saves and closes, though nobody can talk to anybody.
 */
export class Client {
  readonly status: Store<Status>;
  readonly #status: Observable<Status>;
  readonly #events = new Events();
  readonly #parts: Parts;
  readonly #keeper: Keeper;
  #timing: Timing;
  #judging: Judging | undefined;
  #session: Session | undefined;
  #refused: string | undefined;
  /** A policy that was asked for before one could decide, or is being loaded. */
  #wanted: { url: string; sha256: string | undefined } | undefined;
  #loading: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly options: Options,
    parts: Partial<Parts> = {},
  ) {
    this.#parts = { ...page(), ...parts };
    const { url = "", path = "", username } = options;
    this.#keeper = new Keeper(this.#parts.shelf, `cr8-lifeline ${url}${path} ${username}`, this.#parts.clock);
    this.#timing = timing(options.settings);
    this.#status = new Observable<Status>({
      state: "idle",
      attempt: 0,
      attempts: this.#timing.policy.retryAttempts,
      lostAt: undefined,
      endsAt: undefined,
      countdown: Number(this.#timing.policy.cleanupTimeout),
      why: undefined,
      lastError: undefined,
      refused: undefined,
      policy: undefined,
      policyRefused: undefined,
      blender: { state: "unknown", progress: undefined, error: undefined, since: this.#parts.clock.now(), again: false },
      extended: false,
      file: options.file,
      report: undefined,
      offers: [],
    });
    this.status = this.#status;
  }

  /** The page's clock: milliseconds, in which the instants of the status are. */
  now(): number {
    return Number(this.#parts.clock.now());
  }

  /** Calls back on an event; the answer ends it. */
  on<Name extends keyof EventMap>(name: Name, listener: (data: EventMap[Name]) => void): () => void {
    return this.#events.on(name, listener);
  }

  /** Connects, or goes on with the outage that another page of this user has left. */
  async connect(): Promise<void> {
    if (this.#session !== undefined) {
      return;
    }
    const session = new Session(this.#inside());
    this.#session = session;
    try {
      this.#judging ??= new Judging(await this.#parts.builtIn(), (message) => this.#events.tell("log", message));
    } catch (error) {
      this.#session = undefined;
      throw error;
    }
    if (this.#session === session) {
      session.begin(this.#judging);
      if (this.options.policy !== undefined && this.#wanted === undefined) {
        void this.swapPolicy(this.options.policy.url, this.options.policy.sha256);
      }
    }
  }

  /** Says goodbye. No countdown starts: somebody wants this. */
  disconnect(): void {
    this.#session?.close();
    this.#session = undefined;
    this.#update({ state: "idle", attempt: 0, lostAt: undefined, endsAt: undefined, why: undefined });
  }

  /** Looks for the server now, without waiting for the next attempt. */
  tryNow(): void {
    this.#session?.look();
  }

  /** Ends the session now. Blender, which nobody can reach, goes on to its own end. */
  endNow(): void {
    this.#session?.driver?.request({ tag: "close-now" });
  }

  /** Asks for Blender, with the file that it had last. One that is there, or is waited for, is left alone. */
  launch(): void {
    this.#session?.relauncher.launch();
  }

  /** Has Blender open unsaved work that it offers; what is open there goes into a recovery copy first. */
  openRecovered(name: string): void {
    this.#session?.openRecovered(name);
  }

  /** Sends the server an event of the page's own. Throws if it is not connected. */
  emit(event: string, data?: unknown): void {
    if (this.#session === undefined) {
      throw new Error("not connected");
    }
    this.#session.emit(event, data);
  }

  /** Takes a policy from a URL; if that fails the old one stays, and the status says why. */
  async swapPolicy(url: string, sha256?: string): Promise<void> {
    const wanted = { url, sha256 };
    this.#wanted = wanted;
    const loading = this.#parts.foreign(url, sha256);
    this.#loading = loading.catch(() => undefined);
    try {
      const policy = await loading;
      if (this.#wanted === wanted) {
        this.#refused = undefined;
        this.#judging?.swap(policy, plain(url));
        this.#session?.driver?.swapped();
      } else {
        policy.end?.();
      }
    } catch (error) {
      if (this.#wanted === wanted) {
        this.#refused = error instanceof Error ? error.message : String(error);
        this.#events.tell("log", `The policy ${plain(url)} was not taken: ${this.#refused}`);
      }
    }
    this.#session?.publish();
  }

  /** Back to the built-in policy. */
  revertPolicy(): void {
    this.#wanted = undefined;
    this.#refused = undefined;
    this.#judging?.revert();
    this.#session?.driver?.swapped();
    this.#session?.publish();
  }

  #inside(): Inside {
    return {
      options: this.options,
      parts: this.#parts,
      keeper: this.#keeper,
      timing: () => this.#timing,
      configure: (given) => this.#configure(given),
      policy: () => this.#judging?.status(),
      policyRefused: () => this.#refused,
      tell: (name, data) => this.#events.tell(name, data),
      update: (part) => this.#update(part),
      current: () => this.#status.getSnapshot(),
      settled: () => this.#loading,
    };
  }

  /** What the server has told: `Seconds`, and the policy's URL. */
  #configure(given: ServerSettings): void {
    this.#timing = timing({ ...this.options.settings, ...given });
    const sha256 = given.policy_sha256;
    if (typeof given.policy_url === "string" && given.policy_url !== "") {
      const url = atServer(given.policy_url, this.options.url);
      if (typeof sha256 !== "string" && !isOurs(url, this.options.url)) {
        // It would run here, whoever answers at that address.
        this.#refused = "the server names a policy at another address, without its SHA-256 (policy_sha256)";
        this.#session?.publish();
      } else if (this.#wanted?.url !== url || this.#wanted.sha256 !== sha256) {
        void this.swapPolicy(url, typeof sha256 === "string" ? sha256 : undefined);
      }
    } else if (this.options.policy === undefined && this.#wanted !== undefined) {
      this.revertPolicy();
    }
  }

  #update(part: Partial<Status>): void {
    this.#status.set({ ...this.#status.getSnapshot(), ...part });
  }
}

/** Without what may be a secret. */
function plain(url: string): string {
  return url.split("?", 1)[0] ?? url;
}
