import { describe, expect, it } from "vitest";
import type { Action, Decision, Outage, Phase } from "../src/contract.js";
import { Guard } from "../src/guard.js";
import type { Call } from "../src/policy/policy.js";

const NOW = 100_000n;
const OUTAGE: Outage = {
  lostAt: 50_000n,
  why: "transport-error",
  attempts: 1,
  attempt: { tag: "due", val: NOW + 5_000n },
  extended: 0n,
};
const LOST: Phase = { tag: "reconnecting", val: OUTAGE };
const SAVING: Phase = { tag: "saving", val: { outage: OUTAGE, place: "in-place", since: NOW } };
const QUITTING: Phase = { tag: "quitting", val: OUTAGE };
const CONNECTED: Phase = { tag: "connected" };
const SAVE: Action = { tag: "save", val: "in-place" };
const QUIT: Action = { tag: "quit" };
const TICK: Call = { name: "tick" };

function lost(): Guard {
  return new Guard(50_000n);
}

function connected(): Guard {
  const guard = lost();
  guard.connected();
  return guard;
}

function saved(): Guard {
  const guard = lost();
  guard.saveAnswered();
  return guard;
}

function decision(phase: Phase, actions: Action[] = [], more: Partial<Decision> = {}): Decision {
  return { state: { phase, seen: NOW, memo: new Uint8Array() }, actions, wakeAt: NOW + 5_000n, ...more };
}

function check(guard: Guard, answer: Decision, before: Phase = LOST, call: Call = TICK): () => void {
  return () => guard.check(before, call, { now: NOW }, answer);
}

describe("what makes sense", () => {
  it.each([
    ["waiting", lost(), decision(LOST), LOST],
    ["an attempt", lost(), decision(LOST, [{ tag: "connect" }]), LOST],
    ["a save", lost(), decision(SAVING, [SAVE]), LOST],
    ["a save that goes on", lost(), decision(SAVING), SAVING],
    ["quitting after a save", saved(), decision(QUITTING, [QUIT]), SAVING],
    ["quitting that goes on", saved(), decision(QUITTING), QUITTING],
    ["being connected", connected(), decision(CONNECTED, [], {}), LOST],
  ])("%s", (_what, guard, answer, before) => {
    expect(check(guard, answer, before)).not.toThrow();
  });
});

describe("what does not", () => {
  it.each([
    ["a save while connected", connected(), decision(CONNECTED, [SAVE]), LOST],
    ["quitting while connected", connected(), decision(CONNECTED, [QUIT]), LOST],
    ["lost although connected", connected(), decision(LOST), LOST],
    ["connected although lost", lost(), decision(CONNECTED), LOST],
    ["quitting before a save was answered", lost(), decision(QUITTING, [QUIT]), SAVING],
    ["quitting in another phase", saved(), decision(LOST, [QUIT]), LOST],
    ["a save in another phase", lost(), decision(LOST, [SAVE]), LOST],
    ["saving without a save", lost(), decision(SAVING), LOST],
    ["saving twice", lost(), decision(SAVING, [SAVE, SAVE]), LOST],
    ["a save that runs already", lost(), decision(SAVING, [SAVE]), SAVING],
    ["a save elsewhere", lost(), decision(SAVING, [{ tag: "save", val: "recovery" }]), LOST],
    ["quitting without being asked", saved(), decision(QUITTING), SAVING],
    ["holding", lost(), decision({ tag: "held", val: OUTAGE }), LOST],
    ["two attempts", lost(), decision(LOST, [{ tag: "connect" }, { tag: "connect" }]), LOST],
    ["too much", lost(), decision(LOST, Array.from({ length: 17 }, () => ({ tag: "warn", val: 1n }) as const)), LOST],
    ["a long memo", lost(), decision(LOST, [], { state: { phase: LOST, seen: NOW, memo: new Uint8Array(4097) } }), LOST],
    ["an old state", lost(), decision(LOST, [], { state: { phase: LOST, seen: 1n, memo: new Uint8Array() } }), LOST],
    ["never waking", lost(), { ...decision(LOST), wakeAt: undefined } as unknown as Decision, LOST],
    ["sleeping for days", lost(), decision(LOST, [], { wakeAt: NOW + 86_400_001n }), LOST],
    ["an attempt in days", lost(), decision({ tag: "reconnecting", val: { ...OUTAGE, attempt: { tag: "due", val: NOW + 86_400_001n } } }), LOST],
  ])("%s", (_what, guard, answer, before) => {
    expect(check(guard, answer, before)).toThrow();
  });
});

it("a save gets old when another one is asked for, and when the server was back", () => {
  const guard = saved();
  guard.saveAsked();
  expect(check(guard, decision(QUITTING, [QUIT]), SAVING)).toThrow();
  const again = saved();
  again.connected();
  again.lost(NOW);
  expect(check(again, decision(QUITTING, [QUIT]), SAVING)).toThrow();
});

it("a second loss in the same outage changes nothing", () => {
  const guard = connected();
  guard.lost(60_000n);
  guard.lost(70_000n);
  expect(guard.lostAt).toBe(60_000n);
});
