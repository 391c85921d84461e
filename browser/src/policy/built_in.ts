import { instantiate } from "../../generated/policy.js";
import { SHA256 } from "../../generated/identity.js";
import coreUrl from "../../generated/policy.core.wasm?url";
import { type LocalPolicy, policyOf } from "./policy.js";

/** The component that Blender's host embeds, transpiled when the page was built. */
export async function builtIn(fetchBytes: (url: string) => Promise<BufferSource> = download): Promise<LocalPolicy> {
  const core = await WebAssembly.compile(await fetchBytes(coreUrl));
  return policyOf((instance) => instantiate(() => core, {}, instance).policy, SHA256);
}

async function download(url: string): Promise<BufferSource> {
  const answer = await fetch(url);
  if (!answer.ok) {
    throw new Error(`${url}: ${answer.status}`);
  }
  return answer.arrayBuffer();
}
