import { type Clock, pageClock } from "./clock.js";
import { outageOf } from "./contract.js";
import { Driver } from "./driver.js";
import { Events, type EventMap } from "./events.js";
import { Judge } from "./judge.js";
import { type Line, type LineEvents, type Server, SocketLine } from "./line.js";
import { type Offer, offersIn } from "./offers.js";
import { atServer, isOurs } from "./policy/address.js";
import { builtIn } from "./policy/built_in.js";
import { foreign } from "./policy/foreign.js";
import type { LocalPolicy, Policy } from "./policy/policy.js";
import { Keeper, type Shelf } from "./record.js";
import { Relauncher } from "./relaunch.js";
import { type Seconds, type Timing, timing } from "./settings.js";
import { type CleanupReport, type Status, standing } from "./status.js";
import { Observable, type Store } from "./store.js";
import { type Neighbours, Tabs } from "./tabs.js";

/** How a client is made. */
export interface Options extends Server {
  /**
   * Clears the stores at the end of the countdown: whatever the page keeps of the session. It must
   * have ended within `clearWithin`, or the session ends without it.
   */
  clear?: () => void | Promise<void>;
  /** Milliseconds; default 5000. */
  clearWithin?: number;
  /** Used until the server tells its own (`lifeline_settings`). */
  settings?: Seconds;
  /** A policy by URL, instead of the built-in one; that of the server, if it names one, wins. */
  policy?: { url: string; sha256?: string };
  /** After an outage Blender is asked for with its file; default true. */
  relaunch?: boolean;
}

/** What a client is made of; another one in tests. */
export interface Parts {
  clock: Clock;
  shelf: Shelf | undefined;
  line(server: Server, file: () => string, events: LineEvents): Line;
  builtIn(): Promise<LocalPolicy>;
  foreign(url: string, sha256?: string): Promise<Policy>;
  tabs(key: string, heard: (message: "back") => void): Neighbours;
}

const CLEAR_WITHIN = 5_000;
/** How long the server may take to hand a wish on, milliseconds. */
const HAND_ON_WITHIN = 15_000;
/** A Blender that lives is back this much after its longest pause between attempts, milliseconds. */
const REJOIN_MARGIN = 2_000;

function page(): Parts {
  return {
    clock: pageClock(),
    shelf: typeof localStorage === "undefined" ? undefined : localStorage,
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
  #judge: Judge | undefined;
  #session: Session | undefined;
  #refused: string | undefined;
  /** A policy that was asked for before there was a judge, or is being loaded. */
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
      policy: undefined,
      policyRefused: undefined,
      blender: { state: "unknown", pid: undefined, error: undefined, since: this.#parts.clock.now() },
      file: undefined,
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
    const session = new Session(this);
    this.#session = session;
    try {
      this.#judge ??= new Judge(await this.#parts.builtIn(), (message) => this.#events.tell("log", message));
    } catch (error) {
      this.#session = undefined;
      throw error;
    }
    if (this.#session === session) {
      session.begin(this.#judge);
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

  /** Asks for Blender, with the file that it had last. */
  launch(): void {
    this.#session?.relauncher.launch();
  }

  /** Has Blender open unsaved work that it offers; what is open there goes into a recovery copy first. */
  openRecovered(name: string): void {
    this.#session?.openRecovered(name);
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
        this.#judge?.swap(policy, plain(url));
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
    this.#judge?.revert();
    this.#session?.driver?.swapped();
    this.#session?.publish();
  }

  /** For the session. */
  get inside(): Inside {
    return {
      options: this.options,
      parts: this.#parts,
      keeper: this.#keeper,
      timing: () => this.#timing,
      configure: (given) => this.#configure(given),
      policy: () => this.#judge?.status(),
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

/** What the server may tell. */
type ServerSettings = Seconds & { policy_url?: string; policy_sha256?: string };

/** What a client gives to its session. */
interface Inside {
  options: Options;
  parts: Parts;
  keeper: Keeper;
  timing(): Timing;
  configure(given: ServerSettings): void;
  policy(): Status["policy"];
  policyRefused(): string | undefined;
  tell<Name extends keyof EventMap>(name: Name, data: EventMap[Name]): void;
  update(part: Partial<Status>): void;
  current(): Status;
  settled(): Promise<unknown>;
}

/** From `connect` to `disconnect`. */
class Session {
  driver: Driver | undefined;
  readonly relauncher: Relauncher;
  readonly #inside: Inside;
  readonly #line: Line;
  readonly #tabs: Neighbours;
  #file: string | undefined;
  #settings: unknown;
  #everConnected = false;
  #outageTold = false;
  #lastError: string | undefined;
  #report: CleanupReport | undefined;
  /** The reports of earlier outages, by id: a server may tell the last one at each connection. */
  readonly #earlier = new Set<unknown>();
  #offers: readonly Offer[] = [];
  #closed = false;

  constructor(client: Client) {
    const inside = client.inside;
    this.#inside = inside;
    this.#tabs = inside.parts.tabs(inside.keeper.key, () => this.look());
    this.#line = inside.parts.line(inside.options, () => this.#file ?? "", {
      connected: () => this.driver?.then(() => this.#connected()),
      failed: (why, detail) => {
        this.#lastError = detail;
        this.driver?.failed(why);
      },
      lost: (why, detail) => {
        this.#lastError = detail;
        this.#forgetReport();
        this.relauncher.lost();
        this.driver?.lost(why);
      },
      server: (name, data) => this.driver?.then(() => this.#heard(name, data)),
    });
    const ask = (within: number): Promise<unknown> => {
      const request = { username: inside.options.username, ...(this.#file ? { blend_file_path: this.#file } : {}) };
      return this.#line.ask("launch_blender", request, within);
    };
    this.relauncher = new Relauncher(inside.parts.clock, ask, () => this.publish());
  }

  begin(judge: Judge): void {
    const { keeper, parts, options } = this.#inside;
    const kept = keeper.read();
    this.#file = kept.file;
    this.#settings = kept.settings;
    if (kept.settings !== null && typeof kept.settings === "object") {
      this.#inside.configure(kept.settings);
    }
    const driver = new Driver(parts.clock, judge, this.#inside.timing(), options.username, {
      connect: (timeoutMs) => this.#line.connect(timeoutMs),
      warn: (left) => this.#inside.tell("warn", { left }),
      save: () => void this.#clear(),
      quit: () => this.#inside.tell("ended", undefined),
      changed: () => this.#changed(),
    });
    this.driver = driver;
    if (kept.outage === undefined) {
      driver.start();
      this.publish();
    } else {
      const outage = kept.outage;
      this.#outageTold = true;
      // The policy that the outage began with goes on with it.
      void this.#inside.settled().then(() =>
        driver.then(() => {
          // Meanwhile a look may have found the server.
          if (!this.#closed && !driver.guard.isConnected) {
            driver.resume(outage);
          }
        }),
      );
    }
  }

  close(): void {
    this.#closed = true;
    this.driver?.close();
    this.relauncher.lost();
    this.#line.close();
    this.#tabs.close();
    this.#keep();
  }

  openRecovered(name: string): void {
    // What becomes of it is told by the offers that there are afterwards.
    this.#line.ask("open_recovered", { name }, HAND_ON_WITHIN).catch((error: unknown) => this.#inside.tell("log", String(error)));
  }

  /** Somebody wants to know whether the server is there, or knows that it is. */
  look(): void {
    if (this.driver?.guard.isConnected === false) {
      this.#line.insist();
      this.driver.probe();
    }
  }

  publish(): void {
    if (this.driver === undefined || this.#closed) {
      return;
    }
    const timing = this.#inside.timing();
    this.#inside.update({
      ...standing(this.driver, timing.policy.retryAttempts, this.#everConnected || this.#outageTold),
      countdown: Number(timing.policy.cleanupTimeout),
      lastError: this.driver.guard.isConnected ? undefined : this.#lastError,
      policy: this.#policy(),
      policyRefused: this.#inside.policyRefused(),
      blender: this.relauncher.blender,
      file: this.#file,
      report: this.#report,
      offers: this.#offers,
    });
  }

  /** The same object as long as it says the same. */
  #policy(): Status["policy"] {
    const [now, before] = [this.#inside.policy(), this.#inside.current().policy];
    return JSON.stringify(now) === JSON.stringify(before) ? before : now;
  }

  #connected(): void {
    const driver = this.driver;
    if (driver === undefined) {
      return;
    }
    const { parts, options } = this.#inside;
    const outage = this.#outageTold;
    const over = driver.ended || (driver.deadline !== undefined && driver.deadline <= parts.clock.now());
    this.#everConnected = true;
    this.#outageTold = false;
    driver.connected();
    this.#keep();
    this.#tabs.tell("back");
    if (outage) {
      this.#inside.tell("recovered", { over });
      if (options.relaunch !== false && this.#file !== undefined) {
        // Before its end Blender lives, and connects by itself.
        const { retryDelayMax, retryJitter } = this.#inside.timing().policy;
        this.relauncher.back(over ? 0 : Number(retryDelayMax + retryJitter) + REJOIN_MARGIN);
      }
    }
    this.publish();
  }

  #changed(): void {
    const driver = this.driver;
    if (driver === undefined || this.#closed) {
      return;
    }
    if (!driver.guard.isConnected) {
      this.#agree(driver);
      if (this.#everConnected || (outageOf(driver.state.phase)?.attempts ?? 0) > 0) {
        this.#outageTold = true;
      }
      if (this.#outageTold) {
        this.#keep();
      }
    }
    this.publish();
  }

  /** Tabs lose the same server a little apart: the first one's countdown is everybody's. */
  #agree(driver: Driver): void {
    const theirs = this.#inside.keeper.read().outage;
    const ours = driver.deadline;
    if (theirs?.deadline === undefined || ours === undefined || theirs.deadline >= ours || driver.ended) {
      return;
    }
    const near = ours - theirs.deadline < this.#inside.timing().policy.cleanupTimeout;
    // A tab that has gone on to its end has cleared its own stores, and not ours.
    const counting = !theirs.ended && theirs.state.phase.tag === "counting-down";
    if (near && counting && driver.state.phase.tag === "counting-down") {
      driver.adopt(theirs);
    }
  }

  #heard(name: string, data: unknown): void {
    const given = (data ?? {}) as { blend_file_path?: unknown };
    switch (name) {
      case "blender_connected":
        if (typeof given.blend_file_path === "string") {
          this.#file = given.blend_file_path;
          this.#keep();
        }
        this.relauncher.connected();
        break;
      case "blender_disconnected":
        this.#offers = [];
        this.relauncher.disconnected();
        break;
      case "cleanup_report":
        this.#inside.tell("report", given as CleanupReport);
        this.#reported(given as CleanupReport);
        break;
      case "recovery_offers":
        this.#offers = offersIn(data);
        this.publish();
        break;
      case "lifeline_settings":
        this.#settings = data;
        this.#inside.configure(given as ServerSettings);
        this.driver?.configure(this.#inside.timing());
        this.#keep();
        this.publish();
        break;
      default:
        this.#inside.tell("server", { name, data });
    }
  }

  #reported(report: CleanupReport): void {
    if (!this.#earlier.has(report.id)) {
      this.#report = report;
      this.publish();
    }
  }

  /** A loss begins another outage, of which nothing is told yet. */
  #forgetReport(): void {
    if (this.#report !== undefined) {
      this.#earlier.add(this.#report.id);
      this.#report = undefined;
    }
  }

  async #clear(): Promise<void> {
    const { clear, clearWithin = CLEAR_WITHIN } = this.#inside.options;
    let callOff = (): void => {};
    const late = new Promise<never>((_, reject) => {
      callOff = this.#inside.parts.clock.after(clearWithin, () => reject(new Error("the stores were not cleared in time")));
    });
    try {
      await Promise.race([Promise.resolve().then(clear), late]);
      this.driver?.saved({ tag: "ok", val: undefined });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#inside.tell("log", `The stores are not cleared: ${reason}`);
      this.driver?.saved({ tag: "err", val: reason });
    } finally {
      callOff();
    }
  }

  #keep(): void {
    const driver = this.driver;
    const lost = driver !== undefined && !driver.guard.isConnected && this.#outageTold && !this.#closed;
    this.#inside.keeper.write({
      outage: lost ? driver.kept() : undefined,
      file: this.#file,
      settings: this.#settings,
    });
  }
}

/** Without what may be a secret. */
function plain(url: string): string {
  return url.split("?", 1)[0] ?? url;
}
