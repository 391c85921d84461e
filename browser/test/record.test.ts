import { describe, expect, it } from "vitest";
import type { Kept } from "../src/driver.js";
import { Keeper } from "../src/record.js";
import { FakeClock, FakeShelf } from "./fakes.js";

function kept(now: number): Kept {
  const at = BigInt(now);
  return {
    state: {
      phase: {
        tag: "counting-down",
        val: {
          outage: { lostAt: at - 40_000n, why: "ping-timeout", attempts: 6, attempt: { tag: "due", val: at + 3_000n }, extended: 7n },
          deadline: at + 200_000n,
          warned: 300_000n,
        },
      },
      seen: at,
      memo: Uint8Array.of(1, 2, 255),
    },
    wakeAt: at + 3_000n,
    deadline: at + 200_000n,
    ended: false,
  };
}

const write = (keeper: Keeper, outage: Kept): void => keeper.write({ outage, file: "/a.blend", blender: true, settings: { retry_delay: 1 } });

describe("what is kept", () => {
  it("is found again, to the last number", () => {
    const clock = new FakeClock();
    const keeper = new Keeper(new FakeShelf(), "k", clock);
    write(keeper, kept(clock.ms));
    expect(keeper.read()).toEqual({ outage: kept(clock.ms), file: "/a.blend", blender: true, settings: { retry_delay: 1 } });
  });

  it("is told in the reader's own time, lengths as they were", () => {
    const [clock, shelf] = [new FakeClock(), new FakeShelf()];
    write(new Keeper(shelf, "k", clock), kept(clock.ms));
    // Another page, whose clock began elsewhere, 10 s later.
    const other = new FakeClock(500_000);
    other.wallError = clock.ms + 10_000 - other.ms;
    const { outage } = new Keeper(shelf, "k", other).read();
    expect(outage).toEqual(kept(490_000));
  });

  it("has not been seen in the future, whoever has set the clock back", () => {
    const [clock, shelf] = [new FakeClock(), new FakeShelf()];
    write(new Keeper(shelf, "k", clock), kept(clock.ms));
    clock.wallError = -3_600_000;
    const other = new FakeClock(clock.ms);
    other.wallError = clock.wallError;
    expect(new Keeper(shelf, "k", other).read().outage).toEqual(kept(other.ms));
  });
});

describe("nothing is found", () => {
  it.each(["", "{", "[]", '{"schema":2}', '{"schema":1,"now":5,"wall":3}'])("in %s", (text) => {
    const shelf = new FakeShelf();
    shelf.setItem("k", text);
    expect(new Keeper(shelf, "k", new FakeClock()).read()).toEqual({ outage: undefined, file: undefined, blender: false, settings: undefined });
  });

  it("of another schema", () => {
    const [clock, shelf] = [new FakeClock(), new FakeShelf()];
    const keeper = new Keeper(shelf, "k", clock);
    write(keeper, kept(clock.ms));
    shelf.setItem("k", (shelf.getItem("k") ?? "").replace('"schema":1', '"schema":2'));
    expect(keeper.read().outage).toBeUndefined();
  });

  it("in a state that is none", () => {
    const clock = new FakeClock();
    const keeper = new Keeper(new FakeShelf(), "k", clock);
    for (const break_ of [
      (it: Kept) => (it.state = undefined as never),
      (it: Kept) => (it.state.seen = 5 as never),
      (it: Kept) => (it.state.memo = [] as never),
      (it: Kept) => (it.state.phase = { tag: "connected" }),
      (it: Kept) => (it.state.phase = { tag: "reconnecting", val: {} } as never),
      (it: Kept) => (it.wakeAt = "soon" as never),
    ]) {
      const outage = kept(clock.ms);
      break_(outage);
      write(keeper, outage);
      expect(keeper.read().outage).toBeUndefined();
    }
  });

  it("in a storage that throws, and writing to it breaks nothing", () => {
    const forbidden = (): never => {
      throw new DOMException("no", "SecurityError");
    };
    const keeper = new Keeper({ getItem: forbidden, setItem: forbidden, removeItem: forbidden }, "k", new FakeClock());
    write(keeper, kept(0));
    expect(keeper.read().outage).toBeUndefined();
  });
});
