import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { type ConnectError, type Decision, type Loss, outageOf } from "../src/contract.js";
import { Driver } from "../src/driver.js";
import { Judging } from "../src/judging.js";
import type { LocalPolicy } from "../src/policy/policy.js";
import { timing } from "../src/settings.js";
import { FakeClock, testBuiltIn } from "./fakes.js";

/** What `lifeline-model --courses` writes: the core of Blender's host, through so many courses of events. */
interface Course {
  username: string;
  entropy: string;
  set: Record<string, number>;
  steps: { at: number; what: string; spoil: string; stands: string }[];
}

const FILE = join(process.cwd(), "../target/courses.json");
const START = 1_700_000_000_000;
const LOSSES: string[] = ["never-connected", "transport-error", "ping-timeout", "server-disconnect"];

function spoilt(decision: Decision, spoil: string): Decision {
  const { state, actions, wakeAt } = decision;
  switch (spoil) {
    case "traps":
      throw new WebAssembly.RuntimeError("unreachable");
    case "never-wakes":
      return { state, actions };
    case "stale":
      return { ...decision, state: { ...state, seen: state.seen + 1n } };
    case "quits":
      return { state, actions: [...actions, { tag: "quit" }], ...(wakeAt === undefined ? {} : { wakeAt }) };
    case "saves":
      return { ...decision, actions: [...actions, { tag: "save", val: "in-place" }] };
    case "connects-twice":
      return { ...decision, actions: [...actions, { tag: "connect" }, { tag: "connect" }] };
    default:
      return decision;
  }
}

function stands(driver: Driver, judging: Judging): string {
  const { state, wakeAt } = driver.kept();
  const since = (at: bigint): string => String(at - BigInt(START));
  const { failures, setAside } = judging.status();
  const phase = state.phase;
  let text = `${phase.tag} seen ${since(state.seen)} wakes ${wakeAt === undefined ? "never" : since(wakeAt)}`;
  text += ` failures ${failures} ${setAside}`;
  const outage = outageOf(phase);
  if (outage !== undefined) {
    const { lostAt, why, attempts, attempt, extended } = outage;
    text += ` lost ${since(lostAt)} ${why} ${attempts} ${attempt.tag} ${since(attempt.val)} ${extended}`;
  }
  if (phase.tag === "counting-down") {
    text += ` deadline ${since(phase.val.deadline)} ${phase.val.warned}`;
  }
  if (phase.tag === "saving") {
    text += ` ${phase.val.place} since ${since(phase.val.since)}`;
  }
  return text;
}

function happens(driver: Driver, what: string): void {
  const [name, by] = what.split(" ");
  switch (name) {
    case "start":
      return driver.start();
    case "tick":
      return; // its timer has run
    case "accepted":
      return driver.connected();
    case "saved":
      return driver.saved({ tag: "ok", val: undefined });
    case "not-saved":
      return driver.saved({ tag: "err", val: "full" });
    case "extend":
      return driver.request({ tag: "extend", val: BigInt(by ?? 0) });
    case "close-now":
      return driver.request({ tag: "close-now" });
    default:
      return LOSSES.includes(what) ? driver.lost(what as Loss) : driver.failed(what as ConnectError);
  }
}

async function replay(course: Course, builtIn: LocalPolicy): Promise<number> {
  const clock = new FakeClock(START);
  let spoil = "";
  const policy: LocalPolicy = { ...builtIn, decide: (...call) => spoilt(builtIn.decide(...call), spoil) };
  const judging = new Judging(builtIn, () => {});
  judging.swap(policy, "https://host/odd.wasm");
  const seconds = Object.entries(course.set).map(([name, value]) =>
    name === "retry_attempts" ? [name, value] : [name, value / 1_000],
  );
  const set = timing({
    ...Object.fromEntries(seconds),
    retry_delay_max: 5,
    connect_timeout: 2,
    warn_before: [3],
    quit_floor: 0,
  });
  vi.spyOn(crypto, "getRandomValues").mockImplementation((array) => {
    (array as BigUint64Array)[0] = BigInt(course.entropy);
    return array;
  });
  const effects = { connect: () => {}, warn: () => {}, save: () => {}, quit: () => {}, changed: () => {} };
  const driver = new Driver(clock, judging, set, course.username, effects);
  const shown = [];
  for (const step of course.steps) {
    spoil = step.spoil;
    await clock.pass(START + step.at - clock.ms);
    happens(driver, step.what);
    shown.push(stands(driver, judging));
    if (shown.at(-1) !== step.stands) {
      break;
    }
  }
  const expected = course.steps.slice(0, shown.length);
  expect(shown, `${course.username}: ${expected.map((it) => `${it.at} ${it.what} ${it.spoil}`).join(", ")}`).toEqual(
    expected.map((it) => it.stands),
  );
  driver.close();
  return shown.length;
}

it("a thousand courses of events lead the page where they lead Blender's host", async () => {
  // Written by the same step that runs this (cargo xtask test browser): without it there is nothing to compare.
  const courses: Course[] = JSON.parse(await readFile(FILE, "utf8"));
  const builtIn = await testBuiltIn();
  let steps = 0;
  for (const course of courses) {
    steps += await replay(course, builtIn);
  }
  expect(courses.length).toBe(1_000);
  expect(steps).toBeGreaterThan(10_000);
});
