import type { Clock } from "./clock.js";
import type { Line, LineEvents, Server } from "./line.js";
import type { LocalPolicy, Policy } from "./policy/policy.js";
import type { Shelf } from "./record.js";
import type { Seconds } from "./settings.js";
import type { Neighbours, Word } from "./tabs.js";

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
  /** The file that Blender has open, or opens; a server may tell of another one later. */
  file?: string;
  /** After an outage Blender is asked for; default true. */
  relaunch?: boolean;
  /** Another way to ask for Blender than `browser_ready`. Once it has resolved, Blender is being started. */
  askForBlender?: (wanted: { username: string; file: string | undefined }) => void | Promise<void>;
}

/** What a client is made of; another one in tests. */
export interface Parts {
  clock: Clock;
  shelf: Shelf | undefined;
  line(server: Server, file: () => string, events: LineEvents): Line;
  builtIn(): Promise<LocalPolicy>;
  foreign(url: string, sha256?: string): Promise<Policy>;
  tabs(key: string, heard: (word: Word) => void): Neighbours;
}
