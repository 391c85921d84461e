import { describe, expect, it, vi } from "vitest";
import type { LocalPolicy } from "../src/policy/policy.js";
import { envelope, EXTENSION, FakeClock, testBuiltIn, World } from "./fakes.js";

const FIRST_ATTEMPTS = 36_500;
const COUNTDOWN = 300_000;

describe("an outage", () => {
  it("that is shorter than the attempts changes nothing", async () => {
    const world = new World();
    const client = await world.connected();
    expect(client.status.getSnapshot().state).toBe("connected");
    world.server.kill();
    expect(client.status.getSnapshot()).toMatchObject({ state: "reconnecting", attempt: 1, attempts: 5, why: "transport-error" });
    await world.clock.pass(3_000);
    expect(client.status.getSnapshot()).toMatchObject({ state: "reconnecting", attempt: 2 });
    world.server.there = true;
    await world.clock.pass(20_000);
    expect(client.status.getSnapshot()).toMatchObject({ state: "connected", endsAt: undefined, lostAt: undefined });
    expect(world.cleared).toBe(0);
  });

  it("that is longer counts down to the second, warns, clears the stores and ends", async () => {
    const world = new World();
    const client = await world.connected();
    const warnings: number[] = [];
    let ended = 0;
    client.on("warn", ({ left }) => warnings.push(left));
    client.on("ended", () => (ended += 1));
    const lostAt = world.clock.ms;
    world.server.kill();
    await world.clock.pass(FIRST_ATTEMPTS);
    const { state, endsAt = 0, countdown } = client.status.getSnapshot();
    expect([state, countdown]).toEqual(["unreachable", COUNTDOWN]);
    expect(endsAt - lostAt).toBeGreaterThan(COUNTDOWN + 31_500);
    expect(endsAt - lostAt).toBeLessThan(COUNTDOWN + FIRST_ATTEMPTS);
    await world.clock.pass(endsAt - world.clock.ms - 1);
    expect([client.status.getSnapshot().state, world.cleared, ended]).toEqual(["unreachable", 0, 0]);
    await world.clock.pass(1_000);
    expect(client.status.getSnapshot()).toMatchObject({ state: "closed", endsAt });
    expect([world.cleared, ended]).toEqual([1, 1]);
    expect(warnings).toEqual([COUNTDOWN, 60_000, 10_000]);
  });

  it("goes on being looked at after the end, and Blender is asked for with its file", async () => {
    const world = new World();
    const client = await world.connected();
    world.server.kill();
    await world.clock.pass(FIRST_ATTEMPTS + COUNTDOWN + 5_000);
    expect(client.status.getSnapshot().state).toBe("closed");
    world.server.there = true;
    await world.clock.pass(15_000);
    expect(world.server.asked[0]).toEqual({ event: "browser_ready", data: { recovery: true } });
    expect(world.server.lines[0]?.file()).toBe("/home/ann/job.blend");
    expect(client.status.getSnapshot()).toMatchObject({ state: "connected", blender: { state: "launching", again: true } });
    world.server.tell("blender_connected", { username: "ann", blend_file_path: "/home/ann/job.blend" });
    expect(client.status.getSnapshot().blender.state).toBe("connected");
  });

  it("that ends in the countdown leaves Blender time to come by itself", async () => {
    const world = new World();
    const client = await world.connected();
    world.server.kill();
    await world.clock.pass(FIRST_ATTEMPTS + 20_000);
    world.server.there = true;
    await world.clock.pass(10_100);
    expect(client.status.getSnapshot()).toMatchObject({ state: "connected", blender: { state: "expected" } });
    world.server.tell("blender_connected", { username: "ann", blend_file_path: "/home/ann/job.blend" });
    await world.clock.pass(60_000);
    expect(world.server.asked).toEqual([]);
    expect(world.cleared).toBe(0);
  });

  it("in which Blender has died though it is not over: it is asked for after a while", async () => {
    const world = new World();
    await world.connected();
    world.server.kill();
    await world.clock.pass(5_000);
    world.server.there = true;
    await world.clock.pass(20_000);
    expect(world.server.asked).toHaveLength(1);
  });

  it("whose server was never there counts down, too, and clears", async () => {
    const world = new World();
    world.server.there = false;
    const client = world.tab();
    await client.connect();
    expect(client.status.getSnapshot().state).toBe("connecting");
    await world.clock.pass(FIRST_ATTEMPTS);
    const { endsAt } = client.status.getSnapshot();
    const reloaded = world.tab();
    await reloaded.connect();
    await world.clock.pass(100);
    expect(reloaded.status.getSnapshot()).toMatchObject({ state: "unreachable", endsAt });
    await world.clock.pass(COUNTDOWN + 5_000);
    expect(client.status.getSnapshot()).toMatchObject({ state: "closed", why: "never-connected" });
  });

  it("counts down to its end, though whoever listens throws", async () => {
    const said = vi.spyOn(console, "error").mockImplementation(() => {});
    const world = new World();
    const client = await world.connected();
    const bug = (): never => {
      throw new Error("a bug of the page");
    };
    let ended = 0;
    (["warn", "ended", "log", "recovered"] as const).forEach((name) => client.on(name, bug));
    client.on("ended", () => (ended += 1));
    client.status.subscribe(bug);
    world.server.kill();
    await world.clock.pass(FIRST_ATTEMPTS + COUNTDOWN + 5_000);
    expect([client.status.getSnapshot().state, world.cleared, ended]).toEqual(["closed", 1, 1]);
    expect(said).toHaveBeenCalled();
    said.mockRestore();
  });

  it("cannot be begun without the policy, and is tried again", async () => {
    const world = new World();
    let there = false;
    const builtIn = () => (there ? testBuiltIn() : Promise.reject(new Error("404")));
    const client = world.tab({}, { builtIn });
    await expect(client.connect()).rejects.toThrow("404");
    there = true;
    await client.connect();
    await world.clock.pass(10);
    expect(client.status.getSnapshot().state).toBe("connected");
  });
});

describe("people", () => {
  it("who disconnect start no countdown", async () => {
    const world = new World();
    const client = await world.connected();
    const { length } = world.server.attempts;
    client.disconnect();
    await world.clock.pass(FIRST_ATTEMPTS + COUNTDOWN + 5_000);
    expect(client.status.getSnapshot()).toMatchObject({ state: "idle", endsAt: undefined });
    expect([world.cleared, world.server.attempts.length]).toEqual([0, length]);
  });

  it("try now: the server is found at once, and the policy's attempts are not disturbed", async () => {
    const world = new World();
    const client = await world.connected();
    world.server.kill();
    await world.clock.pass(FIRST_ATTEMPTS + 1_000);
    const { endsAt } = client.status.getSnapshot();
    client.tryNow();
    await world.clock.pass(10);
    expect(client.status.getSnapshot()).toMatchObject({ state: "unreachable", endsAt });
    world.server.there = true;
    client.tryNow();
    await world.clock.pass(10);
    expect(client.status.getSnapshot().state).toBe("connected");
  });

  it("try now: and other tabs that have found the server insist on a WebSocket", async () => {
    const world = new World();
    const [one] = [await world.connected(), await world.connected()];
    world.server.kill();
    await world.clock.pass(FIRST_ATTEMPTS + 1_000);
    const insisted = (): number[] => world.server.lines.map((it) => it.insisted);
    expect(insisted()).toEqual([0, 0]);
    world.server.there = true;
    one.tryNow();
    expect(insisted()).toEqual([1, 0]);
    await world.clock.pass(10);
    expect(insisted()[1]).toBeGreaterThan(0);
  });

  it("try now: a look that fails is not told to the policy, which has not asked for it", async () => {
    const world = new World();
    const calls: string[] = [];
    const builtIn = async () => {
      const policy = await testBuiltIn();
      const decide: LocalPolicy["decide"] = (call, state, moment) => {
        calls.push(call.name);
        return policy.decide(call, state, moment);
      };
      return { ...policy, decide };
    };
    const client = await world.connected({}, { builtIn });
    world.server.kill();
    calls.length = 0;
    client.tryNow();
    await world.clock.pass(1_000);
    expect([calls, client.status.getSnapshot().attempt]).toEqual([[], 1]);
  });

  it("who have a hasty policy keep their session until the floor", async () => {
    const world = new World();
    const settings = { retry_attempts: 1, retry_delay: 1, cleanup_timeout: 1, quit_floor: 10 };
    const client = await world.connected({ settings });
    world.server.kill();
    await world.clock.pass(9_900);
    expect(client.status.getSnapshot().state).toBe("ending");
    await world.clock.pass(200);
    expect(client.status.getSnapshot().state).toBe("closed");
  });

  it("end now: the stores are cleared at once", async () => {
    const world = new World();
    const client = await world.connected();
    world.server.kill();
    await world.clock.pass(FIRST_ATTEMPTS);
    client.endNow();
    await world.clock.pass(10);
    expect(client.status.getSnapshot().state).toBe("closed");
    expect(world.cleared).toBe(1);
  });

  it("whose stores do not clear in time are told, and the session ends all the same", async () => {
    const world = new World();
    const client = await world.connected({ clear: () => new Promise(() => {}) });
    const said: string[] = [];
    client.on("log", (text) => said.push(text));
    world.server.kill();
    await world.clock.pass(FIRST_ATTEMPTS + COUNTDOWN + 20_000);
    expect(client.status.getSnapshot().state).toBe("closed");
    expect(said.join()).toContain("not cleared in time");
  });
});

describe("a reload", () => {
  it("goes on where it was", async () => {
    const world = new World();
    const before = await world.connected();
    world.server.kill();
    await world.clock.pass(FIRST_ATTEMPTS + 30_000);
    const { endsAt, lostAt } = before.status.getSnapshot();
    world.server.lines.length = 0;
    const after = world.tab({}, { clock: new OtherClock(world.clock, 12_345) });
    await after.connect();
    await world.clock.pass(100);
    const status = after.status.getSnapshot();
    expect(status.state).toBe("unreachable");
    expect((status.endsAt ?? 0) + 12_345).toBe(endsAt);
    expect((status.lostAt ?? 0) + 12_345).toBe(lostAt);
    expect(status.file).toBe("/home/ann/job.blend");
  });

  it("within the first attempts does not count one more, so the deadline stays Blender's", async () => {
    const [plain, reloaded] = [new World(), new World()];
    const first = await plain.connected();
    plain.server.kill();
    await plain.clock.pass(FIRST_ATTEMPTS);
    const old = await reloaded.connected();
    reloaded.server.kill();
    await reloaded.clock.pass(4_000);
    expect(old.status.getSnapshot().state).toBe("reconnecting");
    // The old page is gone: a sleeping clock of its own.
    const client = reloaded.tab();
    reloaded.server.lines.length = 0;
    await client.connect();
    await reloaded.clock.pass(FIRST_ATTEMPTS - 4_000);
    const drift = (client.status.getSnapshot().endsAt ?? 0) - (first.status.getSnapshot().endsAt ?? 0);
    expect(Math.abs(drift)).toBeLessThan(50);
  });

  it("after the end still says so, and brings Blender back", async () => {
    const world = new World();
    await world.connected();
    world.server.kill();
    await world.clock.pass(FIRST_ATTEMPTS + COUNTDOWN + 5_000);
    const client = world.tab();
    world.server.lines.length = 0;
    await client.connect();
    await world.clock.pass(10);
    expect(client.status.getSnapshot().state).toBe("closed");
    world.server.there = true;
    client.tryNow();
    await world.clock.pass(100);
    expect(world.server.asked.length).toBeGreaterThan(0);
  });

  it("takes a policy from elsewhere only if its digest is told", async () => {
    const world = new World();
    const asked: string[] = [];
    const foreign = (url: string): Promise<never> => {
      asked.push(url);
      return Promise.reject(new Error("404"));
    };
    const client = await world.connected({}, { foreign });
    const url = "https://elsewhere.test/policy.wasm";
    for (const strange of [url, "data:application/wasm,x", "//elsewhere.test/policy.wasm"]) {
      world.server.tell("lifeline_settings", { policy_url: strange });
      await world.clock.pass(10);
      expect(client.status.getSnapshot().policyRefused).toMatch(/at another address, without its SHA-256/);
    }
    expect(asked).toEqual([]);
    world.server.tell("lifeline_settings", { policy_url: url, policy_sha256: "00" });
    await world.clock.pass(10);
    expect(asked).toEqual([url]);
  });

  it("that still waits for its policy when the server is found stays connected", async () => {
    const world = new World();
    await world.connected({}, { foreign: () => new Promise(() => {}) });
    world.server.tell("lifeline_settings", { policy_url: "/policy.wasm" });
    world.server.kill();
    await world.clock.pass(FIRST_ATTEMPTS + 1_000);
    world.server.lines.length = 0;
    let give = (): void => {};
    const foreign = (): Promise<never> => new Promise((_, reject) => (give = () => reject(new Error("404"))));
    const client = world.tab({}, { foreign });
    await client.connect();
    world.server.there = true;
    client.tryNow();
    await world.clock.pass(10);
    expect(client.status.getSnapshot().state).toBe("connected");
    const seen = new Set<string>();
    client.status.subscribe(() => seen.add(client.status.getSnapshot().state));
    give();
    await world.clock.pass(10);
    expect([client.status.getSnapshot().policyRefused, [...seen]]).toEqual(["404", ["connected"]]);
  });

  it("past the deadline looks for the server before it ends", async () => {
    const world = new World();
    const gone = await world.connected();
    world.server.kill();
    await world.clock.pass(FIRST_ATTEMPTS + 1_000);
    const record = [...world.shelf.items];
    gone.disconnect();
    world.shelf.items.clear();
    record.forEach(([key, value]) => world.shelf.items.set(key, value));
    await world.clock.pass(2 * COUNTDOWN);
    world.server.there = true;
    const client = world.tab();
    await client.connect();
    await world.clock.pass(100);
    expect(client.status.getSnapshot().state).toBe("connected");
    expect(world.cleared).toBe(0);
    // Blender's time has run out long ago.
    expect(world.server.asked).toHaveLength(1);
  });
});

describe("time", () => {
  it("in the background, where timers are held up, is computed: the deadline is the same", async () => {
    const [front, back] = [new World(), new World()];
    const seen = await front.connected();
    const hidden = await back.connected();
    front.server.kill();
    back.server.kill();
    await front.clock.pass(60_000);
    await back.clock.sleep(60_000);
    const drift = (hidden.status.getSnapshot().endsAt ?? 0) - (seen.status.getSnapshot().endsAt ?? 0);
    expect(Math.abs(drift)).toBeLessThan(50);
    expect(hidden.status.getSnapshot().state).toBe("unreachable");
  });

  it("that ends between two attempts is computed to the end, whenever the page wakes", async () => {
    const front = new World();
    const seen = await front.connected();
    front.server.kill();
    await front.clock.pass(60_000);
    for (let late = 20_000; late < 38_000; late += 700) {
      const back = new World();
      const hidden = await back.connected();
      back.server.kill();
      await back.clock.sleep(late);
      await back.clock.pass(60_000 - late);
      const drift = (hidden.status.getSnapshot().endsAt ?? 0) - (seen.status.getSnapshot().endsAt ?? 0);
      expect(Math.abs(drift), `${late} ms`).toBeLessThan(50);
    }
  });

  it("in which an attempt's failure is heard late is computed, too", async () => {
    const [front, back] = [new World(), new World()];
    const seen = await front.connected();
    const hidden = await back.connected();
    front.server.kill();
    back.server.kill();
    await front.clock.pass(60_000);
    // The first attempt has begun when nothing runs any more; its failure is the first thing that is heard.
    while (back.server.attempts.length < 2) {
      await back.clock.pass(1);
    }
    back.clock.ms = front.clock.ms;
    back.server.lines[0]?.events.failed("unreachable", "refused");
    await back.clock.pass(10);
    const drift = (hidden.status.getSnapshot().endsAt ?? 0) - (seen.status.getSnapshot().endsAt ?? 0);
    expect(Math.abs(drift)).toBeLessThan(50);
  });

  it("that was slept through ends only after one more look at the server", async () => {
    const world = new World();
    const client = await world.connected();
    world.server.kill();
    await world.clock.pass(FIRST_ATTEMPTS);
    world.server.there = true;
    await world.clock.sleep(3_600_000);
    await world.clock.pass(100);
    expect(client.status.getSnapshot().state).toBe("connected");
    expect(world.cleared).toBe(0);
  });

  it("that was slept through ends after that one look, if the server is away still", async () => {
    const world = new World();
    const client = await world.connected();
    let ended = 0;
    client.on("ended", () => (ended += 1));
    world.server.kill();
    await world.clock.pass(FIRST_ATTEMPTS);
    const { endsAt } = client.status.getSnapshot();
    world.server.attempts.length = 0;
    await world.clock.sleep(3_600_000);
    await world.clock.pass(1_000);
    expect(client.status.getSnapshot()).toMatchObject({ state: "closed", endsAt });
    expect([world.cleared, ended]).toEqual([1, 1]);
    expect(world.server.attempts.length).toBeLessThan(4);
  });

  it("of day may be set: nothing moves", async () => {
    const world = new World();
    const client = await world.connected();
    world.server.kill();
    await world.clock.pass(FIRST_ATTEMPTS);
    const { endsAt } = client.status.getSnapshot();
    world.clock.wallError = 7_200_000;
    await world.clock.pass(30_000);
    expect(client.status.getSnapshot()).toMatchObject({ state: "unreachable", endsAt });
  });
});

describe("two tabs", () => {
  it("show the same deadline, though one hears of the loss later", async () => {
    const world = new World();
    const [one, two] = [await world.connected(), await world.connected()];
    world.server.there = false;
    world.server.lines[0]?.lose("transport-error");
    await world.clock.pass(700);
    world.server.lines[1]?.lose("transport-error");
    await world.clock.pass(FIRST_ATTEMPTS + 1_000);
    const [a, b] = [one, two].map((tab) => tab.status.getSnapshot());
    expect(a?.state).toBe("unreachable");
    expect(b).toMatchObject({ state: "unreachable", endsAt: a?.endsAt });
  });

  it("do not end with each other: each one clears what it keeps itself", async () => {
    const world = new World();
    const [one, two] = [await world.connected(), await world.connected()];
    world.server.there = false;
    world.server.lines[0]?.lose("transport-error");
    await world.clock.pass(700);
    world.server.lines[1]?.lose("transport-error");
    while (one.status.getSnapshot().state !== "unreachable") {
      await world.clock.pass(1);
    }
    one.endNow();
    await world.clock.pass(700);
    expect([one, two].map((tab) => tab.status.getSnapshot().state)).toEqual(["closed", "unreachable"]);
    expect(world.cleared).toBe(1);
    await world.clock.pass(COUNTDOWN + 5_000);
    expect([two.status.getSnapshot().state, world.cleared]).toEqual(["closed", 2]);
  });

  it("find the server together", async () => {
    const world = new World();
    const [one, two] = [await world.connected(), await world.connected()];
    world.server.kill();
    await world.clock.pass(FIRST_ATTEMPTS + 1_000);
    world.server.there = true;
    one.tryNow();
    await world.clock.pass(10);
    expect([one, two].map((tab) => tab.status.getSnapshot().state)).toEqual(["connected", "connected"]);
  });
});

describe("an engine that knows none of Lifeline's own events", () => {
  const there = (): object => envelope("blender_connected", { status: "connected", message: "Blender instance connected successfully" });

  it("is lost and found, and asked for Blender in its own words", async () => {
    const world = new World();
    const client = world.tab({ file: "/home/ann/job.blend" });
    await client.connect();
    await world.clock.pass(10);
    world.server.tell("session_created", envelope("session_created", { status: "connected", data: { username: "ann" } }));
    world.server.tell("blender_connected", there());
    expect(client.status.getSnapshot()).toMatchObject({ blender: { state: "connected" }, extended: false, file: "/home/ann/job.blend" });
    world.server.kill();
    await world.clock.pass(FIRST_ATTEMPTS + COUNTDOWN + 5_000);
    world.server.there = true;
    await world.clock.pass(15_000);
    const progress = (status: string, elapsed: number): void =>
      world.server.tell("instance_status", envelope("instance_status", { status, message: `GPU instance ${status}`, data: { elapsed } }));
    progress("loading", 20);
    expect(client.status.getSnapshot().blender).toMatchObject({ state: "launching", progress: "loading", again: true });
    // It rents a machine, and says so: it is not asked twice.
    world.server.asked.length = 0;
    for (let minute = 1; minute < 8; minute += 1) {
      await world.clock.pass(60_000);
      progress("loading", 60 * minute);
    }
    expect([world.server.asked, client.status.getSnapshot().blender.state]).toEqual([[], "launching"]);
    world.server.tell("blender_connected", there());
    expect(client.status.getSnapshot().blender.state).toBe("connected");
  });

  it("says why there will be no Blender", async () => {
    const world = new World();
    const client = await world.connected();
    world.server.tell("blender_disconnected", envelope("blender_disconnected", { status: "disconnected", data: { reason: "transport close" } }));
    expect(client.status.getSnapshot().blender.state).toBe("absent");
    client.launch();
    const data = { reason: "no_gpu", recoverable: false };
    world.server.tell("instance_status", envelope("instance_status", { status: "error", message: "Failed to launch: no_gpu", data }));
    expect(client.status.getSnapshot().blender).toMatchObject({ state: "failed", error: "Failed to launch: no_gpu", again: false });
    client.launch();
    world.server.tell("instance_status", envelope("instance_status", { status: "cancelled", data: { reason: "user_cancelled" } }));
    expect(client.status.getSnapshot().blender).toMatchObject({ state: "failed", error: "user_cancelled" });
  });

  it("tells one tab alone of Blender: it tells the others", async () => {
    const world = new World();
    const [one, two] = [world.tab(), world.tab()];
    for (const tab of [one, two]) {
      await tab.connect();
      await world.clock.pass(10);
    }
    const states = (): string[] => [one, two].map((tab) => tab.status.getSnapshot().blender.state);
    world.server.lines[1]?.events.server("blender_connected", there());
    expect(states()).toEqual(["connected", "connected"]);
    world.server.lines[1]?.events.server("blender_disconnected", envelope("blender_disconnected", { status: "disconnected" }));
    expect(states()).toEqual(["absent", "absent"]);
    // One that has lost the server knows nothing.
    world.server.there = false;
    world.server.lines[0]?.lose("transport-error");
    world.server.lines[1]?.events.server("blender_connected", there());
    expect(states()).toEqual(["unknown", "connected"]);
  });
});

describe("a page of its own kind", () => {
  it("has another way to ask for Blender", async () => {
    const world = new World();
    const wanted: unknown[] = [];
    let answer = (): Promise<void> => Promise.reject(new Error("no machine is free"));
    const askForBlender = (it: unknown): Promise<void> => {
      wanted.push(it);
      return answer();
    };
    const client = world.tab({ askForBlender, file: "/home/ann/job.blend" });
    await client.connect();
    await world.clock.pass(10);
    client.launch();
    await world.clock.pass(10);
    expect(client.status.getSnapshot().blender).toMatchObject({ state: "failed", error: "no machine is free" });
    answer = () => Promise.resolve();
    client.launch();
    // It may have rented a machine: it is asked once.
    await world.clock.pass(100_000);
    expect(client.status.getSnapshot().blender.state).toBe("launching");
    expect(wanted).toEqual(Array(2).fill({ username: "ann", file: "/home/ann/job.blend" }));
    expect(world.server.asked).toEqual([]);
  });

  it("sends events of its own, while it is connected", async () => {
    const world = new World();
    const client = world.tab();
    expect(() => client.emit("command_sent")).toThrow("not connected");
    await client.connect();
    await world.clock.pass(10);
    client.emit("command_sent", { command: "undo" });
    expect(world.server.asked).toEqual([{ event: "command_sent", data: { command: "undo" } }]);
    world.server.kill();
    expect(() => client.emit("command_sent")).toThrow("not connected");
  });
});

describe("what the server says", () => {
  it("of its settings is followed", async () => {
    const world = new World();
    const client = await world.connected();
    const created = (data: object): void => world.server.tell("session_created", envelope("session_created", { status: "connected", data }));
    const told = { retry_attempts: 2, cleanup_timeout: 60, retry_delay: "soon" };
    created(EXTENSION);
    world.server.tell("lifeline_settings", told);
    expect(client.status.getSnapshot()).toMatchObject({ attempts: 2, countdown: 60_000, extended: true });
    // One that does not tell them any more has other Blenders.
    created({});
    expect(client.status.getSnapshot()).toMatchObject({ attempts: 5, countdown: 300_000, extended: false });
    created(EXTENSION);
    world.server.tell("lifeline_settings", told);
    world.server.kill();
    await world.clock.pass(7_500);
    expect(client.status.getSnapshot().state).toBe("unreachable");
  });

  it("of a clean-up is told", async () => {
    const world = new World();
    const client = await world.connected();
    world.server.tell("cleanup_report", { id: "1", safe: true });
    expect(client.status.getSnapshot().report).toEqual({ id: "1", safe: true });
  });

  it("of a clean-up is of the last outage: a second loss clears it", async () => {
    const world = new World();
    const client = await world.connected();
    world.server.tell("cleanup_report", { id: "1", safe: true });
    world.server.kill();
    expect(client.status.getSnapshot().report).toBeUndefined();
    world.server.there = true;
    await world.clock.pass(10_000);
    world.server.tell("cleanup_report", { id: "1", safe: true });
    expect(client.status.getSnapshot()).toMatchObject({ state: "connected", report: undefined });
    world.server.tell("cleanup_report", { id: "2", safe: false });
    expect(client.status.getSnapshot().report).toEqual({ id: "2", safe: false });
  });

  it("of unsaved work is told until its Blender is gone, and what is wanted of it is handed on", async () => {
    const world = new World();
    const client = await world.connected();
    const copy = { name: "1-job.blend", of: "/home/ann/job.blend", saved_at: "2026-11-29T19:03:00+00:00", cause: "outage" };
    world.server.tell("recovery_offers", { copies: [copy, { name: 1 }, null] });
    const offer = { name: copy.name, of: copy.of, savedAt: copy.saved_at, cause: copy.cause };
    expect(client.status.getSnapshot().offers).toEqual([offer]);
    client.openRecovered(copy.name);
    expect(world.server.asked).toContainEqual({ event: "open_recovered", data: { name: copy.name } });
    world.server.tell("recovery_offers", "nonsense");
    expect(client.status.getSnapshot().offers).toEqual([]);
    world.server.tell("recovery_offers", { copies: [copy] });
    world.server.tell("blender_disconnected", { username: "ann" });
    expect(client.status.getSnapshot().offers).toEqual([]);
  });

  it("that it refuses is an outage", async () => {
    const world = new World();
    world.server.refusing = true;
    const client = world.tab();
    await client.connect();
    await world.clock.pass(10);
    expect(client.status.getSnapshot()).toMatchObject({ state: "reconnecting", refused: "wrong token" });
    world.server.refusing = false;
    world.server.there = false;
    await world.clock.pass(3_000);
    expect(client.status.getSnapshot()).toMatchObject({ state: "reconnecting", refused: undefined });
  });
});

/** The same time, counted from elsewhere, as by another page. */
class OtherClock extends FakeClock {
  constructor(other: FakeClock, by: number) {
    super();
    this.now = () => BigInt(other.ms - by);
    this.wall = () => other.wall();
    this.after = other.after;
  }
}
