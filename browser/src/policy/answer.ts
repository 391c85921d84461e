import type { Decision, Description } from "../contract.js";

/** An answer has another shape than the contract's. */
export class Malformed extends Error {
  override name = "Malformed";
}

/** What a policy in a sandbox has answered, as a decision; all else is left out. Throws Malformed. */
export function decisionOf(answer: unknown): Decision {
  return DECISION(answer, "the answer") as Decision;
}

/** The same for its description. */
export function descriptionOf(answer: unknown): Description {
  return DESCRIPTION(answer, "the description") as unknown as Description;
}

type Shape = (value: unknown, what: string) => unknown;

/** More than the guard takes of anything. */
const ITEMS_MAX = 100;
const TEXT_MAX = 500;

function kind(fits: (value: unknown) => boolean): Shape {
  return (value, what) => {
    if (!fits(value)) {
      throw new Malformed(`${what} is not what the contract says`);
    }
    return value;
  };
}

function record(fields: { [name: string]: Shape }): Shape {
  return (value, what) => {
    const given = OBJECT(value, what) as { [name: string]: unknown };
    return Object.fromEntries(
      Object.entries(fields).map(([name, shape]) => [name, shape(given[name], `${what}'s ${name}`)]),
    );
  };
}

function variant(cases: { [tag: string]: Shape }): Shape {
  return (value, what) => {
    const { tag, val } = OBJECT(value, what) as { tag?: unknown; val?: unknown };
    const shape = typeof tag === "string" && Object.hasOwn(cases, tag) ? cases[tag] : undefined;
    if (shape === undefined) {
      throw new Malformed(`${what} is none that the contract knows`);
    }
    return shape === NOTHING ? { tag } : { tag, val: shape(val, what) };
  };
}

function list(item: Shape): Shape {
  return (value, what) => {
    if (!Array.isArray(value) || value.length > ITEMS_MAX) {
      throw new Malformed(`${what} is no list, or has more than ${ITEMS_MAX} items`);
    }
    return value.map((one: unknown) => item(one, what));
  };
}

function option(shape: Shape): Shape {
  return (value, what) => (value === undefined ? undefined : shape(value, what));
}

const either = (...names: string[]): Shape => kind((value) => typeof value === "string" && names.includes(value));
const OBJECT = kind((value) => typeof value === "object" && value !== null);
const NOTHING = kind((value) => value === undefined);
const INSTANT = kind((value) => typeof value === "bigint" && value >= 0n && value < 1n << 64n);
const COUNT = kind((value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 32);
const BYTES = kind((value) => value instanceof Uint8Array);
const TEXT: Shape = (value, what) => String(kind((it) => typeof it === "string")(value, what)).slice(0, TEXT_MAX);

// wit/policy.wit
const PLACE = either("in-place", "recovery");
const OUTAGE = record({
  lostAt: INSTANT,
  why: either("never-connected", "transport-error", "ping-timeout", "server-disconnect"),
  attempts: COUNT,
  attempt: variant({ due: INSTANT, "under-way": INSTANT }),
  extended: INSTANT,
});
const PHASE = variant({
  connected: NOTHING,
  reconnecting: OUTAGE,
  "counting-down": record({ outage: OUTAGE, deadline: INSTANT, warned: INSTANT }),
  saving: record({ outage: OUTAGE, place: PLACE, since: INSTANT }),
  quitting: OUTAGE,
  held: OUTAGE,
});
const DECISION = record({
  state: record({ phase: PHASE, seen: INSTANT, memo: BYTES }),
  actions: list(variant({ connect: NOTHING, warn: INSTANT, save: PLACE, quit: NOTHING })),
  wakeAt: option(INSTANT),
});
const DESCRIPTION = record({ name: TEXT, version: TEXT, about: TEXT, departs: list(TEXT) });
