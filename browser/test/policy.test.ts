import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { fromBytes, type Transpile } from "../src/policy/component.js";
import { foreign } from "../src/policy/foreign.js";
import { type Exports, type LocalPolicy, policyOf } from "../src/policy/policy.js";
import { PolicyRefused } from "../src/policy/refused.js";
import { transpile } from "../src/policy/transpile.js";
import type { State } from "../src/contract.js";
import { bytesOf, testBuiltIn } from "./fakes.js";

const CONNECTED: State = { phase: { tag: "connected" }, seen: 0n, memo: new Uint8Array() };
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("the built-in policy", () => {
  let policy: LocalPolicy;
  beforeAll(async () => {
    policy = await testBuiltIn();
  });

  it("is the component that Blender's host embeds", async () => {
    expect(policy.sha256).toBe(sha256(await bytesOf("target/policies/five-minutes.wasm")));
    expect(policy.description.name).toBe("five-minutes");
  });

  it("answers each call", () => {
    const moment = { now: 1_000n };
    const start = policy.decide({ name: "start" }, CONNECTED, moment);
    expect(start.actions).toEqual([{ tag: "connect" }]);
    const lost = policy.decide({ name: "on-disconnect", why: "ping-timeout" }, CONNECTED, moment);
    expect(lost.state.phase).toMatchObject({ tag: "reconnecting", val: { lostAt: 1_000n, why: "ping-timeout" } });
    expect(lost.wakeAt).toBe(3_000n);
    const later = { now: 3_000n };
    const attempt = policy.decide({ name: "tick" }, lost.state, later);
    expect(attempt.actions).toEqual([{ tag: "connect" }]);
    const failed = policy.decide({ name: "on-connect-error", why: "unreachable" }, attempt.state, later);
    expect(failed.wakeAt).toBe(7_000n);
    const closing = policy.decide({ name: "on-request", request: { tag: "close-now" } }, failed.state, later);
    expect(closing.actions).toEqual([{ tag: "save", val: "in-place" }]);
    const outcome = { tag: "err", val: "no" } as const;
    const again = policy.decide({ name: "on-saved", outcome }, closing.state, later);
    expect(again.actions).toEqual([{ tag: "save", val: "recovery" }]);
    const back = policy.decide({ name: "on-connect" }, again.state, later);
    expect(back.state.phase).toEqual({ tag: "connected" });
    expect(back.wakeAt).toBeUndefined();
  });
});

describe("a call", () => {
  it("gets a fresh instance, and after a trap all is made anew", () => {
    let made = 0;
    const policy = policyOf((core) => {
      made += 1;
      const { exports } = core(counter());
      return {
        describe: () => ({ name: "counter", version: "1", about: "" }),
        start: () => (exports.count as () => number)(),
        tick: () => (exports.trap as () => void)(),
      } as unknown as Exports;
    }, "");
    const count = (): unknown => policy.decide({ name: "start" }, CONNECTED, { now: 0n });
    expect([count(), count(), made]).toEqual([1, 1, 1]);
    expect(() => policy.decide({ name: "tick" }, CONNECTED, { now: 0n })).toThrow(/unreachable/);
    expect([count(), made]).toEqual([1, 2]);
  });
});

describe("another policy", () => {
  it("is transpiled", async () => {
    const bytes = await bytesOf("target/policies/patient.wasm");
    const policy = await fromBytes(bytes, sha256(bytes), transpile);
    expect(policy.description.name).toBe("patient");
    const lost = policy.decide({ name: "on-disconnect", why: "transport-error" }, CONNECTED, { now: 5n });
    expect(lost.state.phase.tag).toBe("reconnecting");
  }, 60_000);

  it("that is none is refused", async () => {
    await expect(fromBytes(new Uint8Array([1, 2, 3]), "", transpile)).rejects.toThrow(PolicyRefused);
    await expect(fromBytes(new TextEncoder().encode("(component)"), "", transpile)).rejects.toThrow(PolicyRefused);
  }, 60_000);

  it("that wants something from outside is refused", async () => {
    const wants: Transpile = async () => ({ files: [], imports: ["wasi:random/random"], exports: [] });
    await expect(fromBytes(new Uint8Array(), "", wants)).rejects.toThrow("it wants wasi:random/random from outside");
  });

  it("with a name that would become a part of its source is refused before it is run", async () => {
    // (module (import "m" "x');globalThis.broken=1;('" (func)))
    const name = new TextEncoder().encode("x');globalThis.broken=1;('");
    const imported = [1, 1, 0x6d, name.length, ...name, 0, 0];
    const core = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 2, imported.length, ...imported]);
    const source = new TextEncoder().encode("globalThis.broken = 2; export const instantiate = () => ({});");
    const evil: Transpile = async () => ({
      files: [["policy.js", source], ["policy.core.wasm", core]],
      imports: [],
      exports: [["cr8:lifeline/policy@0.2.0", "instance"]],
    });
    await expect(fromBytes(new Uint8Array(), "", evil)).rejects.toThrow(/a name in it is none: "x'/);
    expect(globalThis).not.toHaveProperty("broken");
  });

  it("whose bytes are not those that are wanted is refused before it is looked at", async () => {
    const url = "data:application/wasm;base64,AGFzbQ==";
    await expect(foreign(url, "00")).rejects.toThrow(/SHA-256/);
  });

  it("that does not come in time is refused", async () => {
    const late = new AbortController();
    const timeout = vi.spyOn(AbortSignal, "timeout").mockReturnValue(late.signal);
    const silent = (_url: string, given?: RequestInit): Promise<Response> =>
      new Promise((_, reject) => given?.signal?.addEventListener("abort", () => reject(given.signal?.reason)));
    vi.stubGlobal("fetch", silent);
    const refused = expect(foreign("http://host/policy.wasm")).rejects.toThrow(/cannot be fetched: .*too late/);
    late.abort(new Error("too late"));
    await refused;
    expect(timeout).toHaveBeenCalledWith(10_000);
    vi.unstubAllGlobals();
    timeout.mockRestore();
  });
});

/** A module that counts its calls in its memory, and one function that traps. */
function counter(): WebAssembly.Module {
  // (module (memory (export "memory") 1)
  //   (func (export "count") (result i32)
  //     (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1))) (i32.load (i32.const 0)))
  //   (func (export "trap") unreachable))
  const text = [
    "0061736d01000000", // magic, version
    "0108026000017f600000", // types
    "0303020001", // functions
    "0503010001", // memory
    "071903066d656d6f7279020005636f756e7400000474726170" + "0001", // exports
    "0a1a021400410041002802004101" + "6a3602004100280200" + "0b0300000b", // code
  ].join("");
  return new WebAssembly.Module(Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)));
}
