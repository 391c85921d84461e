import { io, type Socket } from "socket.io-client";
import type { ConnectError, Loss } from "./contract.js";

/** What became of an attempt, or of the connection that it led to. */
export interface LineEvents {
  connected(): void;
  failed(why: ConnectError, detail: string): void;
  lost(why: Loss, detail: string): void;
  /** The server sent an event. */
  server(name: string, data: unknown): void;
}

/** One connection to the server after another. */
export interface Line {
  /** Begins an attempt; what there was before is given up. */
  connect(timeoutMs: number): void;
  /** Somebody knows or wants it: the present or next attempt does not end with a guess that the server is not there. */
  insist(): void;
  /** Sends an event. Throws if there is no connection. */
  emit(event: string, data: unknown): void;
  /** Says goodbye. */
  close(): void;
}

/** How to reach the server. */
export interface Server {
  /** Like `https://host:8000`; default: where the page is from. */
  url?: string;
  /** Default: `/ws/socket.io/`. */
  path?: string;
  /** What the server knows the user by, or a function that gives it for each connection; none: it asks for none. */
  token?: string | (() => string | Promise<string>);
  username: string;
  /** More that the server wants to know at each connection, such as `blend_object_key`. */
  auth?: { readonly [field: string]: unknown };
}

/**
 * The real one: Socket.IO over a WebSocket, in the namespace `/browser`.
 *
 * Chromium holds WebSockets up for seconds when some have failed before, and then the page's attempts
 * would fail later than Blender's. So after a loss the server is asked for anything at all first, which
 * nobody holds up, and a WebSocket is opened only to one that answers. A page's own rules may forbid
 * that request (CSP, COEP), which looks like a server that is not there: so now and then one is opened
 * all the same.
 */
export class SocketLine implements Line {
  #socket: Socket | undefined;
  #asking: AbortController | undefined;
  /** The last attempt, or the connection that it led to, has failed. */
  #wary = false;
  /** So often in a row the server has not answered the plain request. */
  #unanswered = 0;
  #insisted = false;

  constructor(
    private readonly server: Server,
    private readonly file: () => string,
    private readonly events: LineEvents,
  ) {}

  connect(timeoutMs: number): void {
    this.close();
    if (!this.#wary) {
      this.#open(timeoutMs);
      return;
    }
    const asking = new AbortController();
    this.#asking = asking;
    const began = performance.now();
    const left = (): number => Math.max(1, timeoutMs - (performance.now() - began));
    const timer = setTimeout(() => asking.abort("timed-out"), timeoutMs);
    const { url = "", path = PATH } = this.server;
    // Whatever it answers, it is there.
    fetch(`${url.replace(/^ws/, "http")}${path}`, { mode: "no-cors", cache: "no-store", signal: asking.signal }).then(
      () => {
        clearTimeout(timer);
        if (this.#asking === asking) {
          this.#asking = undefined;
          this.#open(left());
        }
      },
      () => {
        clearTimeout(timer);
        if (this.#asking === asking) {
          this.#asking = undefined;
          const late = asking.signal.aborted;
          this.#unanswered += 1;
          if (!late && (this.#insisted || this.#unanswered % OPEN_EVERY === 0)) {
            this.#open(left());
            return;
          }
          this.events.failed(late ? "timed-out" : "unreachable", late ? "no answer in time" : "the server is not there");
        }
      },
    );
  }

  insist(): void {
    this.#insisted = true;
  }

  #open(timeoutMs: number): void {
    this.#insisted = false;
    const { url = "", path = PATH } = this.server;
    const socket = io(`${url}/browser`, {
      path,
      transports: ["websocket"],
      auth: (tell) =>
        void this.#credentials().then(tell, (error: unknown) => this.#fail(socket, "refused", `no token: ${String(error)}`)),
      // When to try again is the policy's business.
      reconnection: false,
      forceNew: true,
      timeout: timeoutMs,
    });
    this.#socket = socket;
    // The transport may be there, and the namespace never answer.
    const timer = setTimeout(() => this.#fail(socket, "timed-out", "no answer in time"), timeoutMs);
    socket.on("connect", () => {
      clearTimeout(timer);
      this.#wary = false;
      this.#unanswered = 0;
      this.events.connected();
    });
    socket.on("connect_error", (error: Error & { type?: string }) => {
      clearTimeout(timer);
      const timedOut = error.message === "timeout";
      const transport = error.type === "TransportError" || error.message.startsWith("websocket");
      const why = timedOut ? "timed-out" : transport ? "unreachable" : "refused";
      this.#fail(socket, why, error.message);
    });
    socket.on("disconnect", (reason) => {
      clearTimeout(timer);
      if (this.#forget(socket)) {
        this.#wary = true;
        this.events.lost(lossOf(reason), reason);
      }
    });
    socket.onAny((name: string, data: unknown) => this.events.server(name, data));
  }

  async #credentials(): Promise<object> {
    const { token, username, auth } = this.server;
    const given = typeof token === "function" ? await token() : token;
    const file = this.file();
    return { ...auth, username, ...(given ? { token: given } : {}), ...(file ? { blend_file_path: file } : {}) };
  }

  emit(event: string, data: unknown): void {
    if (this.#socket?.connected !== true) {
      throw new Error("not connected");
    }
    this.#socket.emit(event, ...(data === undefined ? [] : [data]));
  }

  close(): void {
    this.#asking?.abort();
    this.#asking = undefined;
    const socket = this.#socket;
    if (socket !== undefined) {
      this.#forget(socket);
    }
  }

  #fail(socket: Socket, why: ConnectError, detail: string): void {
    if (this.#forget(socket)) {
      this.#wary = true;
      this.events.failed(why, detail);
    }
  }

  /** Nothing more comes from it; false: nothing did before. */
  #forget(socket: Socket): boolean {
    if (this.#socket !== socket) {
      return false;
    }
    this.#socket = undefined;
    socket.removeAllListeners();
    socket.offAny();
    socket.disconnect();
    return true;
  }
}

const PATH = "/ws/socket.io/";
/** Of the attempts whose plain request fails, each third opens a WebSocket all the same. */
const OPEN_EVERY = 3;

function lossOf(reason: Socket.DisconnectReason): Loss {
  switch (reason) {
    case "io server disconnect":
      return "server-disconnect";
    case "ping timeout":
      return "ping-timeout";
    default:
      return "transport-error";
  }
}
