import { beforeEach, describe, expect, it } from "vitest";
import { Relauncher } from "../src/relaunch.js";
import { FakeClock } from "./fakes.js";

let clock: FakeClock;
let asked: number;
let answer: () => Promise<boolean>;
let relauncher: Relauncher;

beforeEach(() => {
  clock = new FakeClock();
  asked = 0;
  answer = async () => false;
  const ask = (): Promise<boolean> => {
    asked += 1;
    return answer();
  };
  relauncher = new Relauncher(clock, ask, () => {});
});

const state = (): string => relauncher.blender.state;

describe("after the end", () => {
  it("Blender is asked for at once, and waited for", async () => {
    relauncher.back(0);
    expect([state(), asked]).toEqual(["asking", 1]);
    relauncher.starting();
    await clock.pass(4_000);
    expect(relauncher.blender).toMatchObject({ state: "launching", since: BigInt(clock.ms - 4_000), again: true });
    relauncher.connected();
    await clock.pass(500_000);
    expect([state(), asked, relauncher.blender.again]).toEqual(["connected", 1, false]);
  });

  it("one that the server has may be at its end: it is asked for again", async () => {
    relauncher.back(0);
    relauncher.starting();
    await clock.pass(35_000);
    expect([state(), asked]).toEqual(["launching", 4]);
  });

  it("one that never connects is an error that is said, though the server says each time that it starts it", async () => {
    answer = async () => {
      relauncher.starting();
      return false;
    };
    relauncher.back(0);
    await clock.pass(119_000);
    expect(state()).toBe("launching");
    await clock.pass(2_000);
    expect(relauncher.blender).toMatchObject({ state: "failed", error: "Blender was started, but has not connected" });
    const before = asked;
    await clock.pass(500_000);
    expect(asked).toBe(before);
  });

  it("a server that tells progress is not asked again, and has as long as it tells some", async () => {
    relauncher.back(0);
    relauncher.starting();
    relauncher.starting("loading");
    await clock.pass(119_000);
    relauncher.starting("running");
    // Without a word of how far it is: what was said last holds.
    relauncher.starting();
    await clock.pass(119_000);
    expect([relauncher.blender.state, relauncher.blender.progress, asked]).toEqual(["launching", "running", 1]);
    await clock.pass(2_000);
    expect([state(), asked]).toEqual(["failed", 1]);
  });

  it("whoever starts it otherwise is asked once", async () => {
    answer = async () => true;
    relauncher.back(0);
    await clock.pass(119_000);
    expect([state(), asked]).toEqual(["launching", 1]);
  });

  it("no answer is said", async () => {
    relauncher.launch();
    await clock.pass(15_001);
    expect(relauncher.blender).toMatchObject({ state: "failed", error: "the server gave no answer" });
  });

  it("a refusal is said", async () => {
    answer = () => Promise.reject(new Error("not connected"));
    relauncher.launch();
    await clock.pass(0);
    expect(relauncher.blender).toMatchObject({ state: "failed", error: "not connected" });
  });
});

describe("before the end", () => {
  it("Blender comes by itself, and is not asked for by hand either: there would be two", async () => {
    relauncher.back(5_000);
    await clock.pass(4_900);
    relauncher.launch();
    // Its connection may come and go.
    relauncher.disconnected();
    expect(state()).toBe("expected");
    relauncher.connected();
    await clock.pass(60_000);
    expect(asked).toBe(0);
  });

  it("or is asked for after a while", async () => {
    relauncher.back(5_000);
    await clock.pass(5_001);
    expect([asked, relauncher.blender.again]).toEqual([1, true]);
  });

  it("one that is there already is not asked for", () => {
    relauncher.connected();
    relauncher.back(5_000);
    relauncher.launch();
    relauncher.starting();
    relauncher.failed("too late");
    expect([state(), asked]).toEqual(["connected", 0]);
  });
});

it("asked for by hand is asked for once, and is not said to be back", async () => {
  relauncher.launch();
  relauncher.launch();
  relauncher.starting();
  relauncher.launch();
  expect([state(), asked, relauncher.blender.again]).toEqual(["launching", 1, false]);
});

it("a server that is lost again makes everything void, its late answer too", async () => {
  let late: (value: boolean) => void = () => {};
  answer = () => new Promise((resolve) => (late = resolve));
  relauncher.back(0);
  relauncher.lost();
  late(true);
  await clock.pass(500_000);
  expect([state(), asked]).toEqual(["unknown", 1]);
});

it("a Blender that goes while the server is there is absent, and not started by itself", async () => {
  relauncher.connected();
  relauncher.disconnected();
  await clock.pass(500_000);
  expect([state(), asked]).toEqual(["absent", 0]);
});
