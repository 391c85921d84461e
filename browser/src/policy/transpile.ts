import { $init, generate } from "@bytecodealliance/jco-transpile/component";
import type { Transpile } from "./component.js";

/** jco, as it runs at build time. Only the sandbox has it. */
export const transpile: Transpile = async (component, options) => {
  await $init;
  return generate(component, options);
};
