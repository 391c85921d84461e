import type { InstantiateCore } from "./fresh.js";
import { GENERATE } from "./generate.mjs";
import { type Exports, type LocalPolicy, policyOf } from "./policy.js";
import { PolicyRefused } from "./refused.js";

/** What names of the contract and of compilers are made of: nothing that ends a string, a line or a comment. */
const NAME = /^[\w$.:@/#[\]<>, +-]{0,200}$/;
/** So much of another one is told. */
const NAME_TOLD = 60;

/** What a policy exports; a version follows. */
const INTERFACE = "cr8:lifeline/policy@";
/** The versions of the contract that are taken, as in Blender; until 1.0 a second number is another one. */
const TAKEN = ["0.1.0", "0.2.0"];

type Instantiated = (
  core: (name: string) => WebAssembly.Module,
  imports: object,
  instance: InstantiateCore,
) => { policy?: Exports };

/** The files that a component is transpiled to, and the names at its boundary. */
export type Transpile = (component: Uint8Array, options: typeof GENERATE) => Promise<{
  files: [string, Uint8Array][];
  imports: string[];
  exports: [string, unknown][];
}>;

/** Makes a component into JavaScript, here. Rejects with PolicyRefused. */
export async function fromBytes(bytes: Uint8Array, sha256: string, transpile: Transpile): Promise<LocalPolicy> {
  let files: Map<string, Uint8Array>;
  try {
    const made = await transpile(bytes, GENERATE);
    if (made.imports.length > 0) {
      throw new PolicyRefused(`it wants ${made.imports.join(", ")} from outside`);
    }
    checkContract(made.exports.map(([name]) => name));
    files = new Map(made.files);
  } catch (error) {
    throw error instanceof PolicyRefused ? error : new PolicyRefused(`it is no component: ${String(error)}`);
  }
  const cores = new Map<string, WebAssembly.Module>();
  for (const [name, content] of files) {
    if (name.endsWith(".wasm")) {
      const core = await WebAssembly.compile(content as Uint8Array<ArrayBuffer>);
      checkNames(core);
      cores.set(name, core);
    }
  }
  const instantiate = await load(files.get(`${GENERATE.name}.js`));
  const core = (name: string): WebAssembly.Module => {
    const found = cores.get(name);
    if (found === undefined) {
      throw new PolicyRefused(`${name} is missing`);
    }
    return found;
  };
  return policyOf((instance) => {
    const exports = instantiate(core, {}, instance).policy;
    if (exports === undefined) {
      throw new PolicyRefused("its interface is gone");
    }
    return exports;
  }, sha256);
}

/** It speaks a version of the contract that is taken. What they have in common is all that the page tells. */
function checkContract(exported: string[]): void {
  const versions = exported.filter((name) => name.startsWith(INTERFACE)).map((name) => name.slice(INTERFACE.length));
  if (versions.length > 1) {
    throw new PolicyRefused("it exports more than one version of the contract");
  }
  const [version] = versions;
  if (version === undefined) {
    throw new PolicyRefused("it does not export the interface cr8:lifeline/policy");
  }
  const series = (it: string): string => it.split(".", 2).join(".");
  if (!TAKEN.some((taken) => series(taken) === series(version))) {
    const told = version.slice(0, NAME_TOLD);
    throw new PolicyRefused(`it speaks version ${told} of the contract; this page takes ${TAKEN.join(" and ")}`);
  }
}

/** The transpiler writes names of imports and exports into its source as they are. */
function checkNames(core: WebAssembly.Module): void {
  const imports = WebAssembly.Module.imports(core).flatMap(({ module, name }) => [module, name]);
  const exports = WebAssembly.Module.exports(core).map(({ name }) => name);
  const strange = [...imports, ...exports].find((name) => !NAME.test(name));
  if (strange !== undefined) {
    throw new PolicyRefused(`a name in it is none: ${JSON.stringify(strange.slice(0, NAME_TOLD))}`);
  }
}

async function load(source: Uint8Array | undefined): Promise<Instantiated> {
  if (source === undefined) {
    throw new PolicyRefused("nothing came of it");
  }
  // A data URL, and no blob: it needs no leave to be revoked, and works in tests, too.
  const text = new TextDecoder().decode(source);
  const module: { instantiate: Instantiated } = await import(
    /* @vite-ignore */ `data:text/javascript;charset=utf-8,${encodeURIComponent(text)}`
  );
  return module.instantiate;
}
