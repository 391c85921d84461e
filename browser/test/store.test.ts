import { afterEach, expect, it, vi } from "vitest";
import { Observable } from "../src/store.js";

afterEach(() => vi.unstubAllGlobals());

it("tells of what is new, and of nothing else", () => {
  const store = new Observable<{ a: number; b?: string }>({ a: 1 });
  let told = 0;
  const end = store.subscribe(() => (told += 1));
  const before = store.getSnapshot();
  store.set({ a: 1 });
  expect(store.getSnapshot()).toBe(before);
  store.set({ a: 2 });
  store.set({ a: 2, b: "x" });
  expect([told, store.getSnapshot().b]).toEqual([2, "x"]);
  end();
  store.set({ a: 3 });
  expect(told).toBe(2);
});

it("tells everybody, though somebody throws; of that developers hear", () => {
  const reported = vi.fn();
  vi.stubGlobal("reportError", reported);
  const store = new Observable({ a: 1 });
  const told: number[] = [];
  const error = new Error("a bug of the page");
  store.subscribe(() => {
    throw error;
  });
  store.subscribe(() => told.push(store.getSnapshot().a));
  store.set({ a: 2 });
  expect([told, reported.mock.calls]).toEqual([[2], [[error]]]);
});
