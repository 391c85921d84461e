import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { ConnectError, Decision, Loss, Moment, Request, State } from "../src/contract.js";
import { decisionOf, descriptionOf } from "../src/policy/answer.js";
import { fromBytes } from "../src/policy/component.js";
import type { Call, LocalPolicy } from "../src/policy/policy.js";
import { PolicyRefused } from "../src/policy/refused.js";
import { transpile } from "../src/policy/transpile.js";
import { bytesOf } from "./fakes.js";

const FOLDER = "tests/policies/0.1";
const CONNECTED: State = { phase: { tag: "connected" }, seen: 0n, memo: new Uint8Array() };

/** As `tests/policies/0.1/course.json` has it. */
interface Step {
  call: Call["name"];
  now: number;
  with?: string;
  due?: number;
  entropy?: string;
  settings?: true;
  rendering?: boolean;
}

interface Course {
  settings: Record<string, number | number[]>;
  steps: Step[];
}

const textOf = (name: string): Promise<string> => readFile(join(process.cwd(), "..", FOLDER, name), "utf8");

function callOf({ call, with: given }: Step): Call {
  switch (call) {
    case "on-connect-error":
      return { name: call, why: given as ConnectError };
    case "on-disconnect":
      return { name: call, why: given as Loss };
    case "on-saved":
      return { name: call, outcome: given === undefined ? { tag: "ok", val: undefined } : { tag: "err", val: given } };
    case "on-request": {
      const [tag, by] = (given ?? "").split(" ");
      return { name: call, request: (by === undefined ? { tag } : { tag, val: BigInt(by) }) as Request };
    }
    default:
      return { name: call };
  }
}

const camel = (name: string): string => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

function momentOf({ now, due, entropy, settings, rendering }: Step, set: Course["settings"]): Moment {
  const wide = (name: string, value: number | number[]): unknown => {
    if (name === "retry-attempts") {
      return value;
    }
    return typeof value === "number" ? BigInt(value) : BigUint64Array.from(value, BigInt);
  };
  const given = Object.entries(set).map(([name, value]) => [camel(name), wide(name, value)]);
  return {
    now: BigInt(now),
    ...(due === undefined ? {} : { due: BigInt(due) }),
    ...(entropy === undefined ? {} : { entropy: BigInt(entropy) }),
    ...(settings === undefined ? {} : { settings: Object.fromEntries(given) as unknown as Moment["settings"] & object }),
    ...(rendering === undefined ? {} : { scene: { modified: true, untitled: false, rendering } }),
  };
}

/** As wasmtime writes values down; of a decision, whose texts are all names. */
function wave(value: unknown): string {
  if (value instanceof Uint8Array || Array.isArray(value)) {
    return `[${Array.from(value as unknown[], wave).join(", ")}]`;
  }
  if (typeof value !== "object" || value === null) {
    return String(value);
  }
  if ("tag" in value) {
    const { tag, val } = value as { tag: string; val?: unknown };
    return val === undefined ? tag : `${tag}(${wave(val)})`;
  }
  const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  const shown = fields.map(([name, field]) => `${kebab(name)}: ${name === "wakeAt" ? `some(${field})` : wave(field)}`);
  return `{${shown.join(", ")}}`;
}

/** The component with another version in the names of its interfaces. */
function withVersion(bytes: Uint8Array, version: string): Uint8Array {
  const text = Buffer.from(bytes).toString("latin1").replaceAll("@0.1.0", `@${version}`);
  return Buffer.from(text, "latin1");
}

function decisions(policy: LocalPolicy, { settings, steps }: Course): Decision[] {
  let state = CONNECTED;
  return steps.map((step) => {
    // As from a sandbox, whose every answer is looked at.
    const decision = decisionOf(policy.decide(callOf(step), state, momentOf(step, settings)));
    state = decision.state;
    return decision;
  });
}

describe("a policy of version 0.1, as it was shipped", () => {
  let course: Course;
  beforeAll(async () => {
    course = JSON.parse(await textOf("course.json"));
  });

  it.each(["five-minutes", "patient", "render-guard"])("%s decides as ever", async (name) => {
    const policy = await fromBytes(await bytesOf(`${FOLDER}/${name}.wasm`), "", transpile);
    expect(descriptionOf(policy.description)).toMatchObject({ name, departs: [] });
    // Written by the wasmtime command.
    const written = (await textOf(`${name}.decisions`)).trimEnd().split("\n");
    expect(decisions(policy, course).map(wave)).toEqual(written);
  }, 60_000);

  it("goes on where one of 0.2 was, and the other way round", async () => {
    const old = await fromBytes(await bytesOf(`${FOLDER}/five-minutes.wasm`), "", transpile);
    const present = await fromBytes(await bytesOf("target/policies/five-minutes.wasm"), "", transpile);
    const memo = new Uint8Array([1, 2, 3]);
    for (const decision of decisions(old, course)) {
      const state = { ...decision.state, memo };
      const moment = { now: state.seen, due: state.seen };
      const [first, second] = [old, present].map((policy) => policy.decide({ name: "tick" }, state, moment));
      expect(first).toEqual(second);
      expect(first?.state.memo).toEqual(memo);
    }
  }, 60_000);
});

describe("a policy of 0.2", () => {
  it("says what it departs from, and hears of connections that did not last", async () => {
    const patient = await fromBytes(await bytesOf("target/policies/patient.wasm"), "", transpile);
    expect(descriptionOf(patient.description).departs).toEqual(["countdown"]);
    const lost = { name: "on-disconnect", why: "transport-error" } as const;
    const waits = (cutOff?: number): bigint | undefined =>
      patient.decide(lost, CONNECTED, cutOff === undefined ? { now: 0n } : { now: 0n, cutOff }).wakeAt;
    expect([waits(), waits(1), waits(3)]).toEqual([2_000n, 4_000n, 16_000n]);
  }, 60_000);
});

describe("a policy of another version", () => {
  it.each(["0.3.0", "1.2.0"])("%s is refused, and told which are taken", async (version) => {
    const bytes = withVersion(await bytesOf(`${FOLDER}/five-minutes.wasm`), version);
    const refused = expect(fromBytes(bytes, "", transpile)).rejects;
    await refused.toThrow(`it speaks version ${version} of the contract; this page takes 0.1.0 and 0.2.0`);
    await expect(fromBytes(bytes, "", transpile)).rejects.toThrow(PolicyRefused);
  }, 60_000);

  it("that has only the name of one is refused", async () => {
    const none = async (): Promise<{ files: []; imports: []; exports: [string, unknown][] }> => ({
      files: [],
      imports: [],
      exports: [["cr8:lifeline/types@0.2.0", "instance"]],
    });
    await expect(fromBytes(new Uint8Array(), "", none)).rejects.toThrow(/does not export the interface/);
  });
});
