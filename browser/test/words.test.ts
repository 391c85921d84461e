import { describe, expect, it } from "vitest";
import type { Status } from "../src/index.js";
import { clock, nameOf, saves, words } from "../demo/words.js";
import { World } from "./fakes.js";

const NOW = 1_000_000;

function status(part: Partial<Status>): Status {
  return { ...new World().tab().status.getSnapshot(), file: "/home/ann/job.blend", ...part };
}

const blender = (state: Status["blender"]["state"], error?: string): Partial<Status> => ({
  state: "connected",
  blender: { state, progress: undefined, error, since: BigInt(NOW - 4_000), again: true },
});

describe("a person reads", () => {
  it.each([
    [{ state: "reconnecting", attempt: 3, attempts: 5 }, "Reconnecting, attempt 3 of 5"],
    [{ state: "unreachable", endsAt: NOW + 191_200 }, "Blender will save and close in 3:12"],
    [{ state: "closed", endsAt: NOW - 1, extended: true }, "Server unavailable. Blender should have saved your work and closed. What became of it is told here when the server is back."],
    [{ state: "unreachable", endsAt: NOW + 191_200, refused: "expired" }, "This session ends in 3:12 The server is there, and refuses this page."],
    [{ state: "closed", endsAt: NOW - 1, refused: "expired" }, "The server refuses this page. A Blender that it does not refuse goes on running."],
    [{ state: "closed", endsAt: NOW + 61_000 }, "Server unavailable. Blender saves your work and closes in 1:01."],
    [{ state: "closed" }, "Server unavailable. Blender saves your work and closes by itself."],
    [blender("connected"), "Connected Blender with job.blend is at work."],
    [blender("absent"), "Connected No Blender is open."],
    [blender("unknown"), "Connected The server has told of no Blender."],
    [blender("launching"), "Relaunching Blender with job.blend It starts; 4 s so far."],
    [blender("expected"), "The server is back. Waiting for Blender It is still open, and connects by itself."],
  ] as [Partial<Status>, string][])("%o", (part, text) => {
    const { title, detail } = words(status(part), NOW);
    expect(`${title} ${detail}`).toContain(text);
  });

  it("that more is told later only of a server that tells", () => {
    expect(words(status({ state: "closed", endsAt: NOW - 1 }), NOW).detail).toBe("Blender should have saved your work and closed.");
  });

  it("of a first start that it is one, and how far it is", () => {
    const first = { ...status(blender("launching")).blender, again: false, progress: "loading" };
    const said = words(status({ state: "connected", blender: first }), NOW);
    expect([said.badge, said.title, said.detail]).toEqual(["Connected", "Starting Blender with job.blend", "It starts; 4 s so far. The server says: loading."]);
    expect(words(status(blender("asking")), NOW)).toMatchObject({ badge: "Server is back", title: "Relaunching Blender with job.blend" });
  });

  it("that the work was saved only when Blender has told it", () => {
    const said = (part: Partial<Status>): string[] => {
      const { title, detail, aloud } = words(status(part), NOW);
      return [`${title} ${detail}`, aloud];
    };
    const told = (report: Status["report"]): string[] => said({ ...blender("connected"), report });
    const saved = "Your work was saved by Blender";
    for (const text of [...said({ state: "closed", endsAt: NOW - 1 }), ...told(undefined), ...told({ safe: null }), ...told({ safe: false })]) {
      expect(text).not.toContain(saved);
    }
    told({ safe: true }).forEach((text) => expect(text).toContain(`${saved} in the last outage.`));
    told({ safe: true, type: "termination" }).forEach((text) => expect(text).toContain(`${saved} when it was told to end.`));
    told({ safe: "local", wanted: "local" }).forEach((text) => expect(text).toContain(`${saved} in the last outage.`));
    told({ safe: "uploaded", wanted: "uploaded" }).forEach((text) => expect(text).toContain(`${saved} in the last outage, and uploaded.`));
    told({ safe: "local", wanted: "uploaded" }).forEach((text) => expect(text).toContain("on its own machine alone"));
    told({ safe: "no", wanted: "local" }).forEach((text) => expect(text).toContain("Blender cannot confirm that it saved your work"));
    told({ safe: false }).forEach((text) => expect(text).toContain("Blender cannot confirm that it saved your work"));
  });

  it("the reason, in words", () => {
    const said = (why: Status["why"], refused?: string): string => words(status({ state: "reconnecting", why, refused }), NOW).reason;
    expect(said("ping-timeout")).toBe("The server stopped answering.");
    expect(said("server-disconnect", "wrong token")).toBe("It says: wrong token");
  });

  it("why Blender could not be started, and can ask again", () => {
    const said = words(status(blender("failed", "no command line")), NOW);
    expect([said.reason, said.buttons]).toEqual(["no command line", ["launch", "disconnect"]]);
  });
});

describe("what is said aloud", () => {
  it("does not change with the seconds", () => {
    const at = (now: number): string => words(status({ state: "unreachable", endsAt: NOW + 100_000 }), now).aloud;
    expect(at(NOW)).toBe(at(NOW + 1_000));
    const launching = (now: number): string => words(status(blender("launching")), now).aloud;
    expect(launching(NOW)).toBe(launching(NOW + 1_000));
  });
});

it("the last minute is a warning, and the bar runs down", () => {
  const at = (left: number) => words(status({ state: "unreachable", endsAt: NOW + left, countdown: 300_000 }), NOW);
  expect([at(150_000).tone, at(150_000).bar]).toEqual(["worried", 0.5]);
  expect([at(60_000).tone, at(60_000).bar]).toEqual(["alarmed", 0.2]);
});

it("a clock counts what is left of a second as one", () => {
  expect([300_000, 191_001, 59_999, 1, 0].map(clock)).toEqual(["5:00", "3:12", "1:00", "0:01", "0:00"]);
});

it("what was saved where", () => {
  const report = {
    saves: [
      { ok: false, failures: ["no room"] },
      { ok: true, recovery: true, path: "/r/a.blend", bytes: 2_345_678, sha256: "ab" },
      { ok: true, recovery: false, path: "/a.blend", bytes: null },
    ],
    upload: { ok: true, bytes: 900 },
  };
  expect(saves(report)).toEqual([
    "Not saved: no room",
    "Saved as a recovery copy: /r/a.blend (2.3 MB, read back)",
    "Saved in its place: /a.blend (size unknown)",
    "Uploaded (1 kB)",
  ]);
  expect(saves(undefined)).toEqual([]);
});

it("a file's name", () => {
  expect([nameOf("/a/b.blend"), nameOf("C:\\a\\b.blend"), nameOf("")]).toEqual(["b.blend", "b.blend", "untitled work"]);
});
