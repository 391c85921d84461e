import { expect, it } from "vitest";
import { Guard } from "../src/guard.js";
import { Judging } from "../src/judging.js";
import type { LocalPolicy, Policy } from "../src/policy/policy.js";
import { testBuiltIn } from "./fakes.js";
import type { State } from "../src/contract.js";

const CONNECTED: State = { phase: { tag: "connected" }, seen: 0n, memo: new Uint8Array() };
const NAME = { name: "odd", version: "1", about: "Fails.", departs: [] };

function failing(answer: LocalPolicy["decide"]): LocalPolicy {
  return { description: NAME, sha256: "", decide: answer };
}

function later(answer: Policy["decide"]): Policy {
  return { description: NAME, sha256: "", decide: answer };
}

async function judged(policy: Policy): Promise<{ judging: Judging; said: string[]; decide: () => unknown }> {
  const said: string[] = [];
  const judging = new Judging(await testBuiltIn(), (text) => said.push(text));
  judging.swap(policy, "https://host/odd.wasm");
  const guard = new Guard(0n);
  const decide = (): unknown => {
    const decision = judging.decide(guard, { name: "start" }, CONNECTED, { now: 0n });
    return decision instanceof Promise ? decision.then((it) => it?.state.phase.tag) : decision?.state.phase.tag;
  };
  return { judging, said, decide };
}

it("a policy that traps is rejected, and disabled at the third time", async () => {
  let calls = 0;
  const { judging, said, decide } = await judged(
    failing(() => {
      calls += 1;
      throw new WebAssembly.RuntimeError("unreachable");
    }),
  );
  expect([decide(), decide(), decide(), decide()]).toEqual(Array(4).fill("reconnecting"));
  expect([calls, said.length]).toEqual([3, 3]);
  expect(judging.status()).toMatchObject({ name: "odd", failures: 3, setAside: true, lastFailure: "start: unreachable" });
  expect(said[2]).toContain("set aside");
});

it("so is one that answers nonsense", async () => {
  const { judging, decide } = await judged(failing(() => ({ state: CONNECTED, actions: [] })));
  expect(decide()).toBe("reconnecting");
  expect(judging.status().lastFailure).toContain("although the server is lost");
  const { decide: nothing } = await judged(failing(() => undefined as never));
  expect(nothing()).toBe("reconnecting");
});

it("one that answers later is held to the same rules", async () => {
  const { judging, decide } = await judged(later(async () => ({ state: CONNECTED, actions: [] })));
  expect(await decide()).toBe("reconnecting");
  expect(judging.status().lastFailure).toContain("although the server is lost");
  const { decide: asked } = await judged(later(() => Promise.reject(new Error("it took longer than 2 s"))));
  expect(await asked()).toBe("reconnecting");
});

it("one that is ended while it is asked has not failed: the next one is asked instead", async () => {
  let end = (): void => {};
  const { judging, said, decide } = await judged({
    ...later(() => new Promise((_, reject) => (end = () => reject(new Error("ended"))))),
    end: () => end(),
  });
  const answer = decide();
  judging.revert();
  expect(await answer).toBe("reconnecting");
  expect([said, judging.status()]).toMatchObject([[], { name: "five-minutes", failures: 0 }]);
});

it("one that is disabled is ended", async () => {
  let ended = 0;
  const { decide } = await judged({ ...failing(() => undefined as never), end: () => (ended += 1) });
  expect([decide(), decide(), ended, decide(), ended]).toEqual([...Array(2).fill("reconnecting"), 0, "reconnecting", 1]);
});

it("another swap gives a clean record; going back is the built-in one", async () => {
  const { judging, decide } = await judged(failing(() => undefined as never));
  decide();
  judging.revert();
  expect(judging.status()).toMatchObject({ name: "five-minutes", origin: "built-in", failures: 0, lastFailure: undefined });
});

it("where nobody decides nothing changes", async () => {
  const broken = failing(() => undefined as never);
  const judging = new Judging(broken, () => {});
  expect(judging.decide(new Guard(0n), { name: "start" }, CONNECTED, { now: 0n })).toBeUndefined();
});
