import { beforeEach, expect, it, vi } from "vitest";
import { SocketLine } from "../src/line.js";

/** A socket that a test speaks for. */
class FakeSocket {
  readonly handlers = new Map<string, (value: never) => void>();
  on = (name: string, handler: (value: never) => void): void => void this.handlers.set(name, handler);
  onAny = (): void => {};
  offAny = (): void => {};
  removeAllListeners = (): void => this.handlers.clear();
  disconnect = (): void => {};
  say(name: string, value?: unknown): void {
    this.handlers.get(name)?.(value as never);
  }
}

const sockets: FakeSocket[] = [];
type Asked = { auth: (tell: (credentials: unknown) => void) => void };
let wanted: Asked | undefined;
vi.mock("socket.io-client", () => ({
  io: (_url: string, options: Asked) => {
    wanted = options;
    const socket = new FakeSocket();
    sockets.push(socket);
    return socket;
  },
}));

const said: unknown[] = [];
let line: SocketLine;
let asked: ((answer: "there" | "gone") => void)[];

beforeEach(() => {
  sockets.length = said.length = 0;
  asked = [];
  const answer = (_url: string, { signal }: { signal: AbortSignal }): Promise<Response> =>
    new Promise((resolve, reject) => {
      asked.push((it) => (it === "there" ? resolve(new Response()) : reject(new TypeError())));
      signal.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
    });
  vi.stubGlobal("fetch", vi.fn(answer));
  line = new SocketLine({ url: "ws://host", token: "secret", username: "ann" }, () => "", {
    connected: () => said.push("connected"),
    failed: (why) => said.push(why),
    lost: (why) => said.push(why),
    server: () => {},
  });
});

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

it("tells how an attempt has failed", () => {
  const failures = [
    [{ message: "timeout" }, "timed-out"],
    [{ message: "websocket error", type: "TransportError" }, "unreachable"],
    [{ message: "authentication failed: wrong token" }, "refused"],
  ] as const;
  for (const [error, why] of failures) {
    said.length = 0;
    const fresh = new SocketLine({ token: "", username: "" }, () => "", { failed: (it: unknown) => said.push(it) } as never);
    fresh.connect(1_000);
    sockets.at(-1)?.say("connect_error", error);
    expect(said).toEqual([why]);
  }
});

it("says who it is: no more than it knows, and with a fresh token each time", async () => {
  const told = async (server: object, file = ""): Promise<unknown> => {
    new SocketLine({ username: "ann", ...server }, () => file, { failed: (why: unknown) => said.push(why) } as never).connect(1_000);
    let credentials: unknown;
    wanted?.auth((it) => (credentials = it));
    await settle();
    return credentials;
  };
  expect(await told({})).toEqual({ username: "ann" });
  let minted = 0;
  const more = { token: async () => `fresh ${(minted += 1)}`, auth: { blend_object_key: "u/1.blend" } };
  expect(await told(more, "/a.blend")).toEqual({ username: "ann", token: "fresh 1", blend_file_path: "/a.blend", blend_object_key: "u/1.blend" });
  expect(await told(more)).toMatchObject({ token: "fresh 2" });
  expect(await told({ token: () => Promise.reject(new Error("signed out")) })).toBeUndefined();
  expect(said).toEqual(["refused"]);
});

it("tells how a connection was lost, and nothing of one that was given up", () => {
  line.connect(1_000);
  sockets[0]?.say("connect");
  sockets[0]?.say("disconnect", "io server disconnect");
  sockets[0]?.say("disconnect", "transport close");
  expect(said).toEqual(["connected", "server-disconnect"]);
});

it("opens no WebSocket to a server that is not there, once one was lost", async () => {
  line.connect(1_000);
  sockets[0]?.say("connect");
  sockets[0]?.say("disconnect", "transport close");
  line.connect(1_000);
  expect([sockets.length, vi.mocked(fetch).mock.calls[0]?.[0]]).toEqual([1, "http://host/ws/socket.io/"]);
  asked[0]?.("gone");
  await settle();
  expect([sockets.length, said.at(-1)]).toEqual([1, "unreachable"]);
  line.connect(1_000);
  asked[1]?.("there");
  await settle();
  sockets[1]?.say("connect");
  expect([sockets.length, said.at(-1)]).toEqual([2, "connected"]);
});

it("opens a WebSocket all the same each third time: the page's own rules may forbid the plain request", async () => {
  line.connect(1_000);
  sockets[0]?.say("connect_error", { message: "timeout" });
  for (let attempt = 0; attempt < 6; attempt += 1) {
    line.connect(1_000);
    asked.at(-1)?.("gone");
    await settle();
    const opened = 1 + Math.floor((attempt + 1) / 3);
    expect([attempt, sockets.length]).toEqual([attempt, opened]);
  }
  expect(said).toEqual(["timed-out", "unreachable", "unreachable", "unreachable", "unreachable"]);
  sockets[2]?.say("connect");
  expect(said.at(-1)).toBe("connected");
});

it("opens a WebSocket all the same when somebody insists, before an attempt or while it is under way", async () => {
  line.connect(1_000);
  sockets[0]?.say("connect_error", { message: "timeout" });
  line.insist();
  line.connect(1_000);
  asked[0]?.("gone");
  await settle();
  expect(sockets).toHaveLength(2);
  sockets[1]?.say("connect_error", { message: "websocket error", type: "TransportError" });
  line.connect(1_000);
  line.insist();
  asked[1]?.("gone");
  await settle();
  expect(sockets).toHaveLength(3);
});

it("a server that accepts and says nothing has not answered in time", async () => {
  line.connect(1_000);
  sockets[0]?.say("connect_error", { message: "timeout" });
  line.connect(5);
  await vi.waitFor(() => expect(said).toEqual(["timed-out", "timed-out"]));
  expect(sockets).toHaveLength(1);
});

it("that is closed does not open one later", async () => {
  line.connect(1_000);
  sockets[0]?.say("connect_error", { message: "timeout" });
  line.connect(1_000);
  line.close();
  asked[0]?.("there");
  await settle();
  expect([sockets.length, said]).toEqual([1, ["timed-out"]]);
});
