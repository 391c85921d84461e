import { fromBytes, type Transpile } from "./component.js";
import type { LocalPolicy } from "./policy.js";
import type { Answer, Question } from "./sandboxed.js";

/** Answers for a component, within the sandbox: first with its description, then with its decisions. */
export async function serve(port: MessagePort, bytes: Uint8Array, transpile: Transpile): Promise<void> {
  const tell = (answer: Answer): void => port.postMessage(answer);
  let policy: LocalPolicy;
  try {
    policy = await fromBytes(bytes, "", transpile);
  } catch (error) {
    tell({ error: reason(error) });
    return;
  }
  port.onmessage = ({ data: { call, state, moment } }: MessageEvent<Question>) => {
    try {
      tell({ value: policy.decide(call, state, moment) });
    } catch (error) {
      tell({ error: reason(error) });
    }
  };
  tell({ value: policy.description });
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
