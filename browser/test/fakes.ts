import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "../src/client.js";
import type { Clock } from "../src/clock.js";
import type { Line, LineEvents } from "../src/line.js";
import type { Options, Parts } from "../src/options.js";
import { builtIn as testBuiltIn } from "../src/policy/built_in.js";
import type { Shelf } from "../src/record.js";
import type { Neighbours, Word } from "../src/tabs.js";

/** A clock that a test moves. */
export class FakeClock implements Clock {
  #timers: { at: number; then: () => void }[] = [];
  /** Added to the time of day, as by somebody who sets the clock. */
  wallError = 0;
  /** Timers do not run, however much time passes. */
  asleep = false;

  constructor(public ms = 1_700_000_000_000) {}

  now = (): bigint => BigInt(this.ms);
  wall = (): number => this.ms + this.wallError;

  after = (ms: number, then: () => void): (() => void) => {
    const timer = { at: this.ms + Math.max(0, ms), then };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((it) => it !== timer);
    };
  };

  /** Time passes, and timers run as they come due; promises settle in between. */
  async pass(ms: number): Promise<void> {
    const end = this.ms + ms;
    await settle();
    while (!this.asleep) {
      const next = this.#timers.filter((it) => it.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) {
        break;
      }
      this.#timers = this.#timers.filter((it) => it !== next);
      this.ms = Math.max(this.ms, next.at);
      next.then();
      await settle();
    }
    this.ms = end;
  }

  /** Time passes in which no timer runs; those that are due then run late. */
  async sleep(ms: number): Promise<void> {
    this.asleep = true;
    await this.pass(ms);
    this.asleep = false;
    await this.pass(0);
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) {
    await Promise.resolve();
  }
}

/** As cr8_engine puts what it says. */
export function envelope(type: string, payload: object): object {
  return { message_id: "7f0c", type, payload, metadata: { timestamp: 1, source: "backend", route: "direct" } };
}

/** How Lifeline's own events are announced. */
export const EXTENSION = { lifeline: { version: 1, events: [] } };

/** A line whose server is there or not, as a test says. */
export class FakeServer {
  there = true;
  refusing = false;
  /** Attempts get no answer. */
  silent = false;
  attempts: number[] = [];
  lines: FakeLine[] = [];
  asked: { event: string; data: unknown }[] = [];
  /** To whatever is asked: as cr8_engine does. */
  answer = (server: FakeServer): void => server.tell("session_ready", envelope("session_ready", { status: "launching_blender" }));

  constructor(readonly clock: FakeClock) {}

  line = (_server: unknown, file: () => string, events: LineEvents): Line => {
    const line = new FakeLine(this, events, file);
    this.lines.push(line);
    return line;
  };

  /** It is killed: everybody hears of it. */
  kill(): void {
    this.there = false;
    for (const line of this.lines) {
      line.lose("transport-error");
    }
  }

  tell(name: string, data: unknown): void {
    for (const line of this.lines.filter((it) => it.up)) {
      line.events.server(name, data);
    }
  }
}

class FakeLine implements Line {
  up = false;
  insisted = 0;
  #callOff = (): void => {};

  constructor(
    private readonly server: FakeServer,
    readonly events: LineEvents,
    readonly file: () => string,
  ) {}

  connect(timeoutMs: number): void {
    this.close();
    const { server } = this;
    server.attempts.push(server.clock.ms);
    if (server.silent) {
      this.#callOff = server.clock.after(timeoutMs, () => this.events.failed("timed-out", "no answer in time"));
      return;
    }
    this.#callOff = server.clock.after(1, () => {
      if (server.refusing) {
        this.events.failed("refused", "wrong token");
      } else if (server.there) {
        this.up = true;
        this.events.connected();
      } else {
        this.events.failed("unreachable", "refused");
      }
    });
  }

  insist(): void {
    this.insisted += 1;
  }

  lose(why: "transport-error" | "server-disconnect"): void {
    if (this.up) {
      this.up = false;
      this.events.lost(why, why);
    }
  }

  emit(event: string, data: unknown): void {
    if (!this.up) {
      throw new Error("not connected");
    }
    this.server.asked.push({ event, data });
    this.server.answer(this.server);
  }

  close(): void {
    this.#callOff();
    this.up = false;
  }
}

/** A `localStorage` that tabs share. */
export class FakeShelf implements Shelf {
  readonly items = new Map<string, string>();
  getItem = (key: string): string | null => this.items.get(key) ?? null;
  setItem = (key: string, value: string): void => void this.items.set(key, value);
  removeItem = (key: string): void => void this.items.delete(key);
}

/** Tabs that hear each other. */
export class FakeTabs {
  readonly #heard = new Set<(word: Word) => void>();

  open = (_key: string, heard: (word: Word) => void): Neighbours => {
    this.#heard.add(heard);
    return {
      tell: (word) => [...this.#heard].filter((it) => it !== heard).forEach((it) => it(word)),
      close: () => this.#heard.delete(heard),
    };
  };
}

/** A file of the project; the tests run in `browser/`. */
export async function bytesOf(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(join(process.cwd(), "..", path)));
}

export { testBuiltIn };

/** One user's browser: tabs come and go, the rest stays. */
export class World {
  readonly clock = new FakeClock();
  readonly server = new FakeServer(this.clock);
  readonly shelf = new FakeShelf();
  readonly tabs = new FakeTabs();
  cleared = 0;

  /** A tab, not connected yet. */
  tab(options: Partial<Options> = {}, parts: Partial<Parts> = {}): Client {
    return new Client(
      { token: "secret", username: "ann", clear: () => void (this.cleared += 1), ...options },
      {
        clock: this.clock,
        shelf: this.shelf,
        line: this.server.line,
        builtIn: testBuiltIn,
        tabs: this.tabs.open,
        ...parts,
      },
    );
  }

  /** A tab that is connected, with a Blender at the server. */
  async connected(options: Partial<Options> = {}, parts: Partial<Parts> = {}): Promise<Client> {
    const client = this.tab(options, parts);
    await client.connect();
    await this.clock.pass(10);
    this.server.tell("blender_connected", { username: "ann", blend_file_path: "/home/ann/job.blend" });
    return client;
  }
}
