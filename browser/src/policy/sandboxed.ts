import type { Moment, State } from "../contract.js";
import { decisionOf, descriptionOf } from "./answer.js";
import type { Call, Policy } from "./policy.js";
import { PolicyRefused } from "./refused.js";

/** A call may take so long, milliseconds, as in Blender. */
const CALL_WITHIN = 2_000;
/** To transpile and compile a policy, milliseconds. */
const LOAD_WITHIN = 20_000;
/** A limit is waited for in so many steps: a page that was asleep has not waited. */
const STEPS = 4;
/** So much of an error is told. */
const ERROR_TOLD = 200;

/** A sandbox that is open. */
export interface Talk {
  port: MessagePort;
  end(): void;
}

/** What a sandbox is asked. */
export interface Question {
  call: Call;
  state: State;
  moment: Moment;
}

/** What it answers. */
export type Answer = { value: unknown } | { error: string };

/** Who asks waits for this. */
interface Asked {
  answered(value: unknown): void;
  failed(reason: string): void;
}

/** A policy in a sandbox, which answers later, and whose every answer is looked at. Rejects with PolicyRefused. */
export async function sandboxed(talk: Talk, sha256: string): Promise<Policy> {
  const sandbox = new Sandbox(talk);
  try {
    return {
      description: descriptionOf(await sandbox.answer(LOAD_WITHIN)),
      sha256,
      async decide(call, state, moment) {
        return decisionOf(await sandbox.ask({ call, state, moment }));
      },
      end: () => sandbox.end("another policy decides"),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    sandbox.end(reason);
    throw new PolicyRefused(reason);
  }
}

/** One question at a time. Once it has ended, by its own fault or not, every question fails. */
class Sandbox {
  #asked: Asked | undefined;
  #ended: string | undefined;

  constructor(private readonly talk: Talk) {
    talk.port.onmessage = ({ data }) => this.#hear(data);
    talk.port.onmessageerror = () => this.end("it answered with what cannot be read");
  }

  ask(question: Question): Promise<unknown> {
    if (this.#ended !== undefined) {
      return Promise.reject(new Error(this.#ended));
    }
    this.talk.port.postMessage(question);
    return this.answer(CALL_WITHIN);
  }

  answer(within: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const callOff = limit(within, () => this.end(`it took longer than ${within / 1_000} s, and was ended`));
      this.#asked = {
        answered(value) {
          callOff();
          resolve(value);
        },
        failed(reason) {
          callOff();
          reject(new Error(reason));
        },
      };
    });
  }

  end(reason: string): void {
    if (this.#ended === undefined) {
      this.#ended = reason;
      this.talk.end();
      this.#take()?.failed(reason);
    }
  }

  #hear(data: unknown): void {
    const answer = (data ?? {}) as { value?: unknown; error?: unknown };
    const asked = this.#take();
    if (asked === undefined) {
      this.end("it spoke without being asked");
    } else if (typeof answer.error === "string") {
      asked.failed(answer.error.slice(0, ERROR_TOLD));
    } else {
      asked.answered(answer.value);
    }
  }

  #take(): Asked | undefined {
    const asked = this.#asked;
    this.#asked = undefined;
    return asked;
  }
}

/** Calls back after so many milliseconds in which this page has run; the answer calls it off. */
function limit(within: number, then: () => void): () => void {
  let steps = 0;
  const timer = setInterval(() => {
    steps += 1;
    if (steps === STEPS) {
      clearInterval(timer);
      then();
    }
  }, within / STEPS);
  return () => clearInterval(timer);
}
