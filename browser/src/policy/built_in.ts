import { CORE, SHA256 } from "../../generated/component.js";
import { instantiate } from "../../generated/policy.js";
import { type LocalPolicy, policyOf } from "./policy.js";

/** The component that Blender's host embeds, transpiled when the package was built. */
export async function builtIn(): Promise<LocalPolicy> {
  const bytes = Uint8Array.from(atob(CORE), (letter) => letter.charCodeAt(0));
  const core = await WebAssembly.compile(bytes);
  return policyOf((instance) => instantiate(() => core, {}, instance).policy, SHA256);
}
