import { beforeEach, describe, expect, it } from "vitest";
import { Relauncher } from "../src/relaunch.js";
import { FakeClock } from "./fakes.js";

let clock: FakeClock;
let asked: number;
let answer: () => Promise<unknown>;
let relauncher: Relauncher;

beforeEach(() => {
  clock = new FakeClock();
  asked = 0;
  answer = async () => ({ pid: 7 });
  const ask = (): Promise<unknown> => {
    asked += 1;
    return answer();
  };
  relauncher = new Relauncher(clock, ask, () => {});
});

const state = (): string => relauncher.blender.state;

describe("after the end", () => {
  it("Blender is asked for at once, and waited for", async () => {
    relauncher.back(0);
    expect(state()).toBe("asking");
    await clock.pass(0);
    expect(relauncher.blender).toMatchObject({ state: "launching", pid: 7 });
    relauncher.connected();
    await clock.pass(500_000);
    expect([state(), asked]).toEqual(["connected", 1]);
  });

  it("one that still lives may be at its end: it is asked for again", async () => {
    answer = async () => ({ rejoined: true });
    relauncher.back(0);
    await clock.pass(10);
    expect(state()).toBe("rejoining");
    answer = async () => ({ pid: 8 });
    await clock.pass(3_000);
    expect(relauncher.blender).toMatchObject({ state: "launching", pid: 8 });
  });

  it("one that never connects is an error that is said", async () => {
    relauncher.back(0);
    await clock.pass(121_000);
    expect(relauncher.blender).toMatchObject({ state: "failed", error: "Blender was started, but has not connected" });
  });

  it.each([
    [async () => ({ error: "no command line" }), "no command line"],
    [async () => null, "the server gave no answer"],
    [() => Promise.reject(new Error("operation has timed out")), "operation has timed out"],
  ])("the server's refusal is said", async (refusal, text) => {
    answer = refusal;
    relauncher.launch();
    await clock.pass(0);
    expect(relauncher.blender).toMatchObject({ state: "failed", error: text });
  });
});

describe("before the end", () => {
  it("Blender comes by itself", async () => {
    relauncher.back(5_000);
    await clock.pass(4_900);
    expect(state()).toBe("expected");
    relauncher.connected();
    await clock.pass(60_000);
    expect(asked).toBe(0);
  });

  it("or is asked for after a while", async () => {
    relauncher.back(5_000);
    await clock.pass(5_001);
    expect(asked).toBe(1);
  });

  it("one that is there already is not asked for", () => {
    relauncher.connected();
    relauncher.back(5_000);
    relauncher.launch();
    expect([state(), asked]).toEqual(["connected", 0]);
  });
});

it("a server that is lost again makes everything void, its late answer too", async () => {
  let late: (value: unknown) => void = () => {};
  answer = () => new Promise((resolve) => (late = resolve));
  relauncher.back(0);
  relauncher.lost();
  late({ pid: 9 });
  await clock.pass(500_000);
  expect([state(), asked]).toEqual(["unknown", 1]);
});

it("a Blender that goes while the server is there is absent, and not started by itself", async () => {
  relauncher.connected();
  relauncher.disconnected();
  await clock.pass(500_000);
  expect([state(), asked]).toEqual(["absent", 0]);
});
