import { $init, generate } from "@bytecodealliance/jco-transpile/component";
import type { Transpile } from "./foreign.js";

/** jco, as it runs at build time. Loaded only when another policy is asked for. */
export const transpile: Transpile = async (component, options) => {
  await $init;
  return generate(component, options);
};
