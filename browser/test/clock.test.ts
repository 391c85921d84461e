import { expect, it, vi } from "vitest";
import { pageClock } from "../src/clock.js";

it("does not mind who sets the time of day", () => {
  const clock = pageClock();
  const before = clock.now();
  vi.spyOn(Date, "now").mockReturnValue(0);
  expect(clock.now() - before).toBeLessThan(1_000n);
  expect(clock.now()).toBeGreaterThanOrEqual(before);
  expect(clock.wall()).toBe(0);
});

it("counts as performance.now() does", () => {
  const clock = pageClock();
  const [now, performed] = [clock.now(), performance.now()];
  vi.spyOn(performance, "now").mockReturnValue(performed + 90_000);
  expect(Number(clock.now() - now)).toBeGreaterThanOrEqual(89_999);
});

it("takes lengths of time that setTimeout does not", () => {
  vi.useFakeTimers();
  let calls = 0;
  const callOff = pageClock().after(1e12, () => (calls += 1));
  vi.advanceTimersByTime(60_000);
  expect(calls).toBe(0);
  callOff();
  vi.advanceTimersByTime(2 ** 31);
  expect(calls).toBe(0);
  vi.useRealTimers();
});
