import { createHash } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import type { State } from "../src/contract.js";
import { SCRIPT } from "../src/policy/frame.js";
import type { Policy } from "../src/policy/policy.js";
import { PolicyRefused } from "../src/policy/refused.js";
import { sandboxed } from "../src/policy/sandboxed.js";
import { serve } from "../src/policy/serve.js";
import { transpile } from "../src/policy/transpile.js";
import { bytesOf, testBuiltIn, World } from "./fakes.js";

const STATE: State = { phase: { tag: "connected" }, seen: 0n, memo: new Uint8Array([1]) };
const DESCRIPTION = { name: "odd", version: "1", about: "", departs: [] };
const START = [{ name: "start" }, STATE, { now: 5n }] as const;

/** A sandbox that answers like this; its description is the first answer. */
async function answering(answer: (port: MessagePort) => void): Promise<{ policy: Policy; ended: () => number }> {
  const { port1, port2 } = new MessageChannel();
  let ended = 0;
  port2.onmessage = () => answer(port2);
  port2.postMessage({ value: DESCRIPTION });
  const end = (): void => {
    ended += 1;
    port1.close();
  };
  return { policy: await sandboxed({ port: port1, end }, "00"), ended: () => ended };
}

describe("a policy in a sandbox", () => {
  it("decides as one that runs here", async () => {
    const { port1, port2 } = new MessageChannel();
    const component = await bytesOf("target/policies/five-minutes.wasm");
    void serve(port2, component, transpile);
    const policy = await sandboxed({ port: port1, end: () => port1.close() }, "00");
    const here = await testBuiltIn();
    const why = { name: "on-disconnect", why: "ping-timeout" } as const;
    expect(policy.description).toEqual(here.description);
    const decision = here.decide(why, STATE, { now: 5n });
    expect(await policy.decide(why, STATE, { now: 5n })).toEqual(decision);
    const tick = { name: "tick" } as const;
    expect(await policy.decide(tick, decision.state, { now: 9n })).toEqual(here.decide(tick, decision.state, { now: 9n }));
    await expect(policy.decide(tick, { ...STATE, phase: { tag: "nothing" } as never }, { now: 9n })).rejects.toThrow();
    policy.end?.();
    port2.close();
  }, 60_000);

  it("that is no policy is refused", async () => {
    const { port1, port2 } = new MessageChannel();
    let ended = 0;
    void serve(port2, new Uint8Array([1, 2]), transpile);
    await expect(sandboxed({ port: port1, end: () => (ended += 1) }, "")).rejects.toThrow(PolicyRefused);
    expect(ended).toBe(1);
    port1.close();
  });

  it("has its time; then it is ended, and asked no more", async () => {
    const { policy, ended } = await answering(() => {});
    vi.useFakeTimers();
    const asked = expect(policy.decide(...START)).rejects.toThrow("it took longer than 2 s, and was ended");
    await vi.advanceTimersByTimeAsync(1_999);
    expect(ended()).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    vi.useRealTimers();
    await asked;
    await expect(policy.decide(...START)).rejects.toThrow("it took longer than 2 s, and was ended");
    expect(ended()).toBe(1);
  });

  it("that speaks without being asked is ended", async () => {
    const { policy, ended } = await answering((port) => [1, 2].forEach(() => port.postMessage({ error: "no" })));
    await expect(policy.decide(...START)).rejects.toThrow("no");
    await vi.waitFor(() => expect(ended()).toBe(1));
    await expect(policy.decide(...START)).rejects.toThrow("without being asked");
  });

  it.each([
    ["nothing", undefined],
    ["no phase", { state: { ...STATE, phase: { tag: "toString", val: {} } }, actions: [] }],
    ["a number for an instant", { state: STATE, actions: [], wakeAt: 5 }],
    ["an instant that is none", { state: STATE, actions: [], wakeAt: -1n }],
    ["half an outage", { state: { ...STATE, phase: { tag: "reconnecting", val: { lostAt: 1n } } }, actions: [] }],
    ["no bytes", { state: { ...STATE, memo: { byteLength: 0 } }, actions: [] }],
    ["actions without an end", { state: STATE, actions: Object.assign([], { length: 2 ** 32 - 1 }) }],
    ["an action that nobody knows", { state: STATE, actions: [{ tag: "format" }] }],
  ])("that answers with %s has failed", async (_, value) => {
    const { policy } = await answering((port) => port.postMessage({ value }));
    await expect(policy.decide(...START)).rejects.toThrow();
    policy.end?.();
  });

  it("what it adds to its answer is left out, and its texts are bounded", async () => {
    const long = "x".repeat(10_000);
    const { policy } = await answering((port) => port.postMessage({ value: { state: { ...STATE, more: 1 }, actions: [] } }));
    expect(await policy.decide(...START)).toEqual({ state: STATE, actions: [], wakeAt: undefined });
    policy.end?.();
    const { policy: angry } = await answering((port) => port.postMessage({ error: long }));
    await expect(angry.decide(...START)).rejects.toThrow(/^x{200}$/);
    angry.end?.();
  });
});

it("the sandbox's script is the one that docs/browser.md allows by its hash", async () => {
  const docs = new TextDecoder().decode(await bytesOf("docs/browser.md"));
  expect(docs).toContain(`'sha256-${createHash("sha256").update(SCRIPT).digest("base64")}'`);
});

describe("a client whose policy answers later", () => {
  /** The built-in one, after so long. */
  async function slow(world: World, ms: number, asked: string[] = []): Promise<Policy> {
    const here = await testBuiltIn();
    return {
      description: { ...DESCRIPTION, name: "slow" },
      sha256: "00",
      decide: (...given) =>
        new Promise((resolve, reject) => {
          asked.push(given[0].name);
          world.clock.after(ms, () => {
            try {
              resolve(here.decide(...given));
            } catch (error) {
              reject(error as Error);
            }
          });
        }),
    };
  }

  it("goes through an outage to its end", async () => {
    const world = new World();
    const settings = { retry_attempts: 2, retry_delay: 1, cleanup_timeout: 30 };
    const client = await world.connected({ settings }, { foreign: () => slow(world, 50) });
    await client.swapPolicy("/slow.wasm");
    world.server.kill();
    await world.clock.pass(20_000);
    expect(client.status.getSnapshot()).toMatchObject({ state: "unreachable", policy: { name: "slow", failures: 0 } });
    await world.clock.pass(40_000);
    expect([client.status.getSnapshot().state, world.cleared]).toEqual(["closed", 1]);
    expect(client.status.getSnapshot().policy).toMatchObject({ failures: 0 });
  });

  it("that is back while it is asked is connected after the answer, and keeps no outage", async () => {
    const world = new World();
    const client = await world.connected({}, { foreign: () => slow(world, 1_000) });
    await client.swapPolicy("/slow.wasm");
    const [line] = world.server.lines;
    world.server.kill();
    world.server.there = true;
    await world.clock.pass(500);
    // The policy is still asked about the loss.
    line?.events.connected();
    expect(client.status.getSnapshot().state).toBe("connected");
    await world.clock.pass(5_000);
    expect(client.status.getSnapshot()).toMatchObject({ state: "connected", policy: { failures: 0 } });
    expect([...world.shelf.items.values()].join()).not.toContain("lostAt");
  });

  it("that says goodbye while it is asked connects no more", async () => {
    const world = new World();
    const asked: string[] = [];
    const client = await world.connected({}, { foreign: () => slow(world, 1_000, asked) });
    await client.swapPolicy("/slow.wasm");
    world.server.kill();
    for (let waited = 0; waited < 20_000 && asked.at(-1) !== "tick"; waited += 100) {
      await world.clock.pass(100);
    }
    expect(asked).toEqual(["on-disconnect", "tick"]);
    client.disconnect();
    const { length } = world.server.attempts;
    await world.clock.pass(60_000);
    expect([world.server.attempts.length, client.status.getSnapshot().state]).toEqual([length, "idle"]);
  });

  it("takes another one at once", async () => {
    const world = new World();
    const never: Policy = { description: DESCRIPTION, sha256: "", decide: () => new Promise((_, reject) => (end = reject)), end: () => end(new Error()) };
    let end: (error: Error) => void = () => {};
    const client = await world.connected({}, { foreign: async () => never });
    await client.swapPolicy("/never.wasm");
    world.server.kill();
    await world.clock.pass(100);
    client.revertPolicy();
    await world.clock.pass(100);
    expect(client.status.getSnapshot()).toMatchObject({ state: "reconnecting", policy: { name: "five-minutes", failures: 0 } });
  });
});
