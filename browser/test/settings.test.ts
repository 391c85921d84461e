import { expect, it } from "vitest";
import { timing } from "../src/settings.js";

it("are the contract's where nothing is said", () => {
  expect(timing().policy).toEqual({
    retryAttempts: 5,
    retryDelay: 2_000n,
    retryDelayMax: 10_000n,
    retryJitter: 500n,
    connectTimeout: 10_000n,
    cleanupTimeout: 300_000n,
    warnBefore: BigUint64Array.of(60_000n, 10_000n),
    renderWait: 0n,
  });
  expect(timing().quitFloor).toBe(10_000n);
});

it("come in seconds", () => {
  const { policy, quitFloor } = timing({ retry_delay: 0.2, warn_before: [2], quit_floor: 1 });
  expect([policy.retryDelay, [...policy.warnBefore], quitFloor]).toEqual([200n, [2_000n], 1_000n]);
});

it("that make no sense are not taken", () => {
  const odd = { retry_attempts: Number.NaN, cleanup_timeout: -1, retry_delay: "2", warn_before: 60 } as object;
  expect(timing(odd)).toEqual(timing());
});
