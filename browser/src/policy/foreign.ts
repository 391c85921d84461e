import { GENERATE } from "./generate.mjs";
import type { InstantiateCore } from "./fresh.js";
import { type Exports, type Policy, policyOf } from "./policy.js";

/** Bytes that a policy may have, as in Blender. */
const SIZE_MAX = 64 * 1024 * 1024;
/** A policy that is there has come by now, milliseconds: an outage that a reload goes on with waits for it. */
const FETCH_WITHIN = 10_000;

/** What names of the contract and of compilers are made of: nothing that ends a string, a line or a comment. */
const NAME = /^[\w$.:@/#[\]<>, +-]{0,200}$/;
/** So much of another one is told. */
const NAME_TOLD = 60;

/** Why a policy was not taken. */
export class PolicyRefused extends Error {
  override name = "PolicyRefused";
}

type Instantiated = (
  core: (name: string) => WebAssembly.Module,
  imports: object,
  instance: InstantiateCore,
) => { policy?: Exports };

/**
 * Takes a policy from a URL and transpiles it here, in the page. Rejects with PolicyRefused.
 *
 * sha256: the only one that is taken. The transpiler (1 MB over the wire) is loaded only now.
 * It runs in the page like any script: take policies from your own server alone.
 */
export async function foreign(url: string, sha256?: string): Promise<Policy> {
  const bytes = await download(url);
  const found = await digest(bytes);
  if (sha256 !== undefined && found !== sha256.toLowerCase()) {
    throw new PolicyRefused(`its SHA-256 is ${found}, and ${sha256} is wanted`);
  }
  const { transpile } = await import("./transpile.js");
  return fromBytes(bytes, found, transpile);
}

/** The files that a component is transpiled to. */
export type Transpile = (component: Uint8Array, options: typeof GENERATE) => Promise<{
  files: [string, Uint8Array][];
  imports: string[];
}>;

/** As above, from bytes. */
export async function fromBytes(bytes: Uint8Array, sha256: string, transpile: Transpile): Promise<Policy> {
  let files: Map<string, Uint8Array>;
  try {
    const made = await transpile(bytes, GENERATE);
    if (made.imports.length > 0) {
      throw new PolicyRefused(`it wants ${made.imports.join(", ")} from outside`);
    }
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
      throw new PolicyRefused("it does not export the interface cr8:lifeline/policy");
    }
    return exports;
  }, sha256);
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
