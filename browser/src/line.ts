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
  /** Sends a request; rejects if there is no answer in time. */
  ask(event: string, data: unknown, timeoutMs: number): Promise<unknown>;
  /** Says goodbye. */
  close(): void;
}

/** How to reach the server. */
export interface Server {
  /** Like `https://host:8000`; default: where the page is from. */
  url?: string;
  /** Default: `/ws/socket.io/`. */
  path?: string;
  token: string;
  username: string;
}

/** The real one: Socket.IO over a WebSocket, in the namespace `/browser`. */
export class SocketLine implements Line {
  #socket: Socket | undefined;

  constructor(
    private readonly server: Server,
    private readonly file: () => string,
    private readonly events: LineEvents,
  ) {}

  connect(timeoutMs: number): void {
    this.close();
    const { url = "", path = "/ws/socket.io/", token, username } = this.server;
    const socket = io(`${url}/browser`, {
      path,
      transports: ["websocket"],
      auth: { token, username, blend_file_path: this.file() },
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
        this.events.lost(lossOf(reason), reason);
      }
    });
    socket.onAny((name: string, data: unknown) => this.events.server(name, data));
  }

  async ask(event: string, data: unknown, timeoutMs: number): Promise<unknown> {
    if (this.#socket === undefined) {
      throw new Error("not connected");
    }
    return this.#socket.timeout(timeoutMs).emitWithAck(event, data);
  }

  close(): void {
    const socket = this.#socket;
    if (socket !== undefined) {
      this.#forget(socket);
    }
  }

  #fail(socket: Socket, why: ConnectError, detail: string): void {
    if (this.#forget(socket)) {
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
