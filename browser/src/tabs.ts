/** The other tabs of the same user at the same server. */
export interface Neighbours {
  /** The server is back. */
  tell(message: "back"): void;
  close(): void;
}

/** By BroadcastChannel; a browser without it has tabs that find out for themselves. */
export class Tabs implements Neighbours {
  readonly #channel: BroadcastChannel | undefined;

  constructor(key: string, heard: (message: "back") => void) {
    if (typeof BroadcastChannel === "undefined") {
      return;
    }
    this.#channel = new BroadcastChannel(key);
    this.#channel.onmessage = (event: MessageEvent<unknown>) => {
      if (event.data === "back") {
        heard("back");
      }
    };
  }

  tell(message: "back"): void {
    this.#channel?.postMessage(message);
  }

  close(): void {
    this.#channel?.close();
  }
}
