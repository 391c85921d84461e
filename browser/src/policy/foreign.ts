import { open } from "./frame.js";
import type { Policy } from "./policy.js";
import { PolicyRefused } from "./refused.js";
import { sandboxed } from "./sandboxed.js";

/** Bytes that a policy may have, as in Blender. */
const SIZE_MAX = 64 * 1024 * 1024;
/** A policy that is there has come by now, milliseconds: an outage that a reload goes on with waits for it. */
const FETCH_WITHIN = 10_000;

/**
 * Takes a policy from a URL, into a sandbox of its own. Rejects with PolicyRefused.
 *
 * sha256: the only one that is taken. The sandbox with its transpiler is loaded only now.
 */
export async function foreign(url: string, sha256?: string): Promise<Policy> {
  const bytes = await download(url);
  const found = await digest(bytes);
  if (sha256 !== undefined && found !== sha256.toLowerCase()) {
    throw new PolicyRefused(`its SHA-256 is ${found}, and ${sha256} is wanted`);
  }
  return sandboxed(await open(bytes), found);
}

async function download(url: string): Promise<Uint8Array> {
  let answer: Response;
  let bytes: Uint8Array;
  try {
    // It holds for the body, too.
    answer = await fetch(url, { signal: AbortSignal.timeout(FETCH_WITHIN) });
    bytes = new Uint8Array(await answer.arrayBuffer());
  } catch (error) {
    throw new PolicyRefused(`it cannot be fetched: ${String(error)}`);
  }
  if (!answer.ok) {
    throw new PolicyRefused(`it cannot be fetched: ${answer.status}`);
  }
  if (bytes.byteLength > SIZE_MAX) {
    throw new PolicyRefused(`it has ${bytes.byteLength} bytes; ${SIZE_MAX} are allowed`);
  }
  return bytes;
}

async function digest(bytes: Uint8Array): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
