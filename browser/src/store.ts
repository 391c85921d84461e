import { guarded } from "./events.js";

/** A value that can be watched; it fits React's `useSyncExternalStore`. */
export interface Store<T> {
  /** The answer ends the subscription. */
  subscribe(listener: () => void): () => void;
  /** The same object until something changes. */
  getSnapshot(): T;
}

/** A store that can be written to. */
export class Observable<T extends object> implements Store<T> {
  readonly #listeners = new Set<() => void>();

  constructor(private value: T) {}

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  getSnapshot = (): T => this.value;

  /** Tells everybody, if anything is new. */
  set(next: T): void {
    const keys = new Set([...Object.keys(this.value), ...Object.keys(next)]) as Set<keyof T>;
    if ([...keys].every((key) => Object.is(this.value[key], next[key]))) {
      return;
    }
    this.value = next;
    for (const listener of [...this.#listeners]) {
      guarded(listener);
    }
  }
}
