import { outageOf } from "./contract.js";
import { Driver } from "./driver.js";
import { contentOf, failureOf, READY } from "./engine.js";
import type { EventMap } from "./events.js";
import type { Judging } from "./judging.js";
import type { Line } from "./line.js";
import { type Offer, offersIn } from "./offers.js";
import type { Options, Parts } from "./options.js";
import type { Keeper } from "./record.js";
import { Relauncher } from "./relaunch.js";
import type { ServerSettings, Timing } from "./settings.js";
import { type CleanupReport, type Status, standing } from "./status.js";
import type { Neighbours, Word } from "./tabs.js";

const CLEAR_WITHIN = 5_000;
/** A Blender that lives is back this much after its longest pause between attempts, milliseconds. */
const REJOIN_MARGIN = 2_000;

/** What a client gives to its session. */
export interface Inside {
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
export class Session {
  driver: Driver | undefined;
  readonly relauncher: Relauncher;
  readonly #inside: Inside;
  readonly #line: Line;
  readonly #tabs: Neighbours;
  #file: string | undefined;
  #hadBlender = false;
  #settings: unknown;
  #extended = false;
  #everConnected = false;
  #outageTold = false;
  #lastError: string | undefined;
  #refused: string | undefined;
  #report: CleanupReport | undefined;
  /** The reports of earlier outages, by id: a server may tell the last one at each connection. */
  readonly #earlier = new Set<unknown>();
  #offers: readonly Offer[] = [];
  #closed = false;

  constructor(inside: Inside) {
    this.#inside = inside;
    this.#tabs = inside.parts.tabs(inside.keeper.key, (word) => this.#heardFromTab(word));
    this.#line = inside.parts.line(inside.options, () => this.#file ?? "", {
      connected: () => this.driver?.then(() => this.#connected()),
      failed: (why, detail) => {
        this.#lastError = detail;
        this.#refused = why === "refused" ? detail : undefined;
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
    const ask = async (): Promise<boolean> => {
      const { username, askForBlender } = inside.options;
      await askForBlender?.({ username, file: this.#file });
      if (askForBlender === undefined) {
        this.#line.emit(READY, { recovery: true });
      }
      return askForBlender !== undefined;
    };
    this.relauncher = new Relauncher(inside.parts.clock, ask, () => this.publish());
  }

  begin(judging: Judging): void {
    const { keeper, parts, options } = this.#inside;
    const kept = keeper.read();
    // In an outage the last word is what another page has heard.
    this.#file = kept.outage === undefined ? (options.file ?? kept.file) : (kept.file ?? options.file);
    this.#hadBlender = kept.blender;
    this.#settings = kept.settings;
    // Until the server is back, the last one's word holds.
    this.#extended = kept.settings !== undefined;
    if (kept.settings !== null && typeof kept.settings === "object") {
      this.#inside.configure(kept.settings);
    }
    const driver = new Driver(parts.clock, judging, this.#inside.timing(), options.username, {
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
    try {
      // What becomes of it is told by the offers that there are afterwards.
      this.emit("open_recovered", { name });
    } catch (error) {
      this.#inside.tell("log", String(error));
    }
  }

  /** Somebody wants to know whether the server is there, or knows that it is. */
  look(): void {
    if (this.driver?.guard.isConnected === false) {
      this.#line.insist();
      this.driver.probe();
    }
  }

  emit(event: string, data: unknown): void {
    this.#line.emit(event, data);
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
      refused: this.driver.guard.isConnected ? undefined : this.#refused,
      policy: this.#policy(),
      policyRefused: this.#inside.policyRefused(),
      blender: this.relauncher.blender,
      extended: this.#extended,
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
      if (options.relaunch !== false && this.#hadBlender) {
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
    const content = contentOf(data);
    switch (name) {
      case "session_created":
        this.#greeted(typeof content.data.lifeline === "object");
        this.#inside.tell("server", { name, data });
        break;
      case "blender_connected":
        this.#blenderConnected(content.data.blend_file_path);
        this.#tabs.tell("blender");
        break;
      case "blender_disconnected":
        this.#blenderGone();
        this.#tabs.tell("no-blender");
        break;
      case "session_ready":
        this.relauncher.starting();
        break;
      case "instance_status": {
        const failure = failureOf(content);
        if (failure === undefined) {
          this.relauncher.starting(content.status ?? "");
        } else {
          this.relauncher.failed(failure);
        }
        break;
      }
      case "cleanup_report":
        this.#inside.tell("report", content.data);
        this.#reported(content.data);
        break;
      case "recovery_offers":
        this.#offers = offersIn(data);
        this.publish();
        break;
      case "lifeline_settings":
        this.#settings = data;
        this.#inside.configure(content.data);
        this.driver?.configure(this.#inside.timing());
        this.#keep();
        this.publish();
        break;
      default:
        this.#inside.tell("server", { name, data });
    }
  }

  /** extended: the server speaks Lifeline's own events. What one has told that did is void. */
  #greeted(extended: boolean): void {
    this.#extended = extended;
    if (!extended && this.#settings !== undefined) {
      this.#settings = undefined;
      this.#inside.configure({});
      this.driver?.configure(this.#inside.timing());
    }
    this.#keep();
    this.publish();
  }

  /** Whoever has heard it: the engine tells the tab that has connected last. */
  #heardFromTab(word: Word): void {
    if (word === "back") {
      this.look();
    } else if (this.driver?.guard.isConnected === true) {
      if (word === "blender") {
        this.#blenderConnected(undefined);
      } else {
        this.#blenderGone();
      }
    }
  }

  /** file: which one it has open, if the server tells. */
  #blenderConnected(file: unknown): void {
    this.#file = typeof file === "string" ? file : this.#file;
    this.#hadBlender = true;
    this.#keep();
    this.relauncher.connected();
  }

  #blenderGone(): void {
    this.#offers = [];
    this.relauncher.disconnected();
    this.publish();
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
      blender: this.#hadBlender,
      settings: this.#settings,
    });
  }
}
