import type { CleanupReport } from "./status.js";

/** What a client tells, by name. */
export interface EventMap {
  /** So much of the countdown is left, milliseconds. */
  warn: { left: number };
  /** The session has ended: the stores are cleared. */
  ended: undefined;
  /** The server is back; over: it was after Blender's end. */
  recovered: { over: boolean };
  /** What Blender has saved where. */
  report: CleanupReport;
  /** Any other event of the server. */
  server: { name: string; data: unknown };
  /** For developers. */
  log: string;
}

/** Calls a listener. What it throws is told to developers, and stops nobody else: neither the next one nor the countdown. */
export function guarded(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    if (typeof reportError === "function") {
      reportError(error);
    } else {
      console.error(error);
    }
  }
}

/** Who listens to what. */
export class Events {
  readonly #listeners = new Map<keyof EventMap, Set<(data: never) => void>>();

  on<Name extends keyof EventMap>(name: Name, listener: (data: EventMap[Name]) => void): () => void {
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set);
    set.add(listener);
    return () => set.delete(listener);
  }

  tell<Name extends keyof EventMap>(name: Name, data: EventMap[Name]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      guarded(() => (listener as (data: EventMap[Name]) => void)(data));
    }
  }
}
