import { expect, it } from "vitest";
import { Observable } from "../src/store.js";

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
