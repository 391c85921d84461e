/** What tabs tell each other: the server is back; it says that Blender is there, or has gone (to one tab of a user alone). */
export type Word = "back" | "blender" | "no-blender";

const WORDS: readonly unknown[] = ["back", "blender", "no-blender"] satisfies Word[];

/** The other tabs of the same user at the same server. */
export interface Neighbours {
  tell(word: Word): void;
  close(): void;
}

/** By BroadcastChannel; a browser without it has tabs that find out for themselves. */
export class Tabs implements Neighbours {
  readonly #channel: BroadcastChannel | undefined;

  constructor(key: string, heard: (word: Word) => void) {
    if (typeof BroadcastChannel === "undefined") {
      return;
    }
    this.#channel = new BroadcastChannel(key);
    this.#channel.onmessage = (event: MessageEvent<unknown>) => {
      if (WORDS.includes(event.data)) {
        heard(event.data as Word);
      }
    };
  }

  tell(word: Word): void {
    this.#channel?.postMessage(word);
  }

  close(): void {
    this.#channel?.close();
  }
}
