import type { Clock } from "./clock.js";
import { outageOf } from "./contract.js";
import type { Kept } from "./driver.js";

/** Where an outage is kept: `localStorage`, or a stand-in. */
export type Shelf = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** What is kept of a user at a server, so that a reload goes on and other tabs agree. */
export interface Record {
  outage: Kept | undefined;
  /** The file that Blender had open last; "": it had no name. */
  file: string | undefined;
  /** There was a Blender: it is brought back after an outage. */
  blender: boolean;
  /** The settings of the server, as it told them. */
  settings: unknown;
}

const SCHEMA = 1;

/** Keeps the record. A storage that is full or forbidden keeps nothing, and breaks nothing. */
export class Keeper {
  constructor(
    private readonly shelf: Shelf | undefined,
    readonly key: string,
    private readonly clock: Clock,
  ) {}

  write(record: Record): void {
    // Instants of another page are not ours: the time of day at which this one was leads from one to the other.
    const anchor = { schema: SCHEMA, wall: this.clock.wall(), now: this.clock.now() };
    try {
      this.shelf?.setItem(this.key, JSON.stringify({ ...anchor, ...record }, encode));
    } catch {
      // See above.
    }
  }

  read(): Record {
    const nothing: Record = { outage: undefined, file: undefined, blender: false, settings: undefined };
    try {
      const text = this.shelf?.getItem(this.key);
      const found = text ? JSON.parse(text, decode) : undefined;
      if (found?.schema !== SCHEMA || typeof found.now !== "bigint" || typeof found.wall !== "number") {
        return nothing;
      }
      const theirs = BigInt(Math.round(found.wall)) - found.now;
      const ours = BigInt(Math.round(this.clock.wall())) - this.clock.now();
      return {
        outage: isKept(found.outage) ? moved(found.outage, theirs - ours, this.clock.now()) : undefined,
        file: typeof found.file === "string" ? found.file : undefined,
        blender: found.blender === true,
        settings: found.settings,
      };
    } catch {
      return nothing;
    }
  }
}

/** The same outage by our clock. What another clock has seen later than now it has seen now. */
function moved(kept: Kept, given: bigint, now: bigint): Kept {
  const seen = kept.state.seen + given;
  const by = seen > now ? given - (seen - now) : given;
  const shift = (value: unknown, name: string): unknown => {
    if (typeof value === "bigint") {
      return DURATIONS.has(name) ? value : value + by;
    }
    if (value !== null && typeof value === "object" && !ArrayBuffer.isView(value)) {
      return Object.fromEntries(Object.entries(value).map(([key, it]) => [key, shift(it, key)]));
    }
    return value;
  };
  return shift(kept, "") as Kept;
}

/** All other big numbers in a state are instants. */
const DURATIONS = new Set(["extended", "warned"]);

function isKept(value: unknown): value is Kept {
  const kept = value as Partial<Kept> | undefined;
  const phase = kept?.state?.phase;
  if (phase === undefined || typeof kept?.state?.seen !== "bigint" || !(kept.state.memo instanceof Uint8Array)) {
    return false;
  }
  if (kept.wakeAt !== undefined && typeof kept.wakeAt !== "bigint") {
    return false;
  }
  // The policy says no to what else does not fit.
  return phase.tag !== "connected" && typeof outageOf(phase)?.lostAt === "bigint";
}

function encode(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") {
    return { $n: String(value) };
  }
  return value instanceof Uint8Array ? { $bytes: Array.from(value) } : value;
}

function decode(_key: string, value: unknown): unknown {
  if (value !== null && typeof value === "object") {
    if ("$n" in value) {
      return BigInt(String(value.$n));
    }
    if ("$bytes" in value && Array.isArray(value.$bytes)) {
      return Uint8Array.from(value.$bytes as number[]);
    }
  }
  return value;
}
