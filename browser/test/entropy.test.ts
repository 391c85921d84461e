import { expect, it } from "vitest";
import { randomEntropy, sharedEntropy } from "../src/entropy.js";

// The same numbers as in host/core/src/entropy.rs.
it("is Blender's", () => {
  expect(sharedEntropy("ann", 0)).toBe(VECTORS[0]);
  expect(sharedEntropy("ann", 4)).toBe(VECTORS[1]);
  expect(sharedEntropy("Zoë", 1)).toBe(VECTORS[2]);
});

it("is spread over users and attempts", () => {
  const bits = new Set<bigint>();
  const quarters = [0, 0, 0, 0];
  for (let user = 0; user < 400; user += 1) {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const found = sharedEntropy(`user-${user}`, attempt);
      bits.add(found);
      quarters[Number(found >> 62n)]! += 1;
    }
  }
  expect(bits.size).toBe(2_000);
  for (const count of quarters) {
    expect(count).toBeGreaterThan(430);
  }
});

it("is new each time where it is random", () => {
  expect(randomEntropy()).not.toBe(randomEntropy());
});

const VECTORS = [12972911246729296188n, 2852218870351461290n, 16526190686010512276n];
