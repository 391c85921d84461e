import type { Exports } from "./policy.js";

/** How jco has a core module instantiated. */
export type InstantiateCore = (module: WebAssembly.Module, imports?: WebAssembly.Imports) => WebAssembly.Instance;

/** A component that was transpiled and whose modules are compiled. */
export type Make = (instantiateCore: InstantiateCore) => Exports;

type Exported = Record<string, unknown>;

/**
 * A fresh instance for each call. What jco writes around a core instance takes 10 ms to set up, the
 * instance itself a tenth of one: so the former is kept, and the latter changed beneath it.
 */
export class Fresh {
  #kept: { exports: Exports; renew: (() => void) | undefined } | undefined;

  constructor(private readonly make: Make) {}

  /** One that nobody has called. */
  take(): Exports {
    if (this.#kept?.renew !== undefined) {
      this.#kept.renew();
      return this.#kept.exports;
    }
    const cores: Core[] = [];
    const exports = this.make((module, imports) => {
      const core = new Core(module, imports);
      cores.push(core);
      return core.facade;
    });
    // Several modules are bound to each other: there all of it is made anew.
    const [only] = cores.length === 1 ? cores : [];
    this.#kept = { exports, renew: only?.alone ? () => only.renew() : undefined };
    return exports;
  }

  /** After a trap nothing of it is used again. */
  discard(): void {
    this.#kept = undefined;
  }
}

/** A core instance that can be changed for another one of the same module. */
class Core {
  readonly facade: WebAssembly.Instance;
  /** It stands by itself: it imports nothing, and no table of it is seen. */
  readonly alone: boolean;
  #now: WebAssembly.Instance;

  constructor(
    private readonly module: WebAssembly.Module,
    imports?: WebAssembly.Imports,
  ) {
    this.#now = new WebAssembly.Instance(module, imports);
    const kinds = WebAssembly.Module.exports(module).map(({ kind }) => kind);
    this.alone =
      WebAssembly.Module.imports(module).length === 0 && !kinds.includes("table");
    this.facade = this.alone ? ({ exports: this.#exports() } as WebAssembly.Instance) : this.#now;
  }

  renew(): void {
    this.#now = new WebAssembly.Instance(this.module);
  }

  #exports(): WebAssembly.Exports {
    const given: Exported = {};
    for (const { name, kind } of WebAssembly.Module.exports(this.module)) {
      if (kind === "global") {
        continue; // the linker's marks, which nobody reads
      }
      const current = (): unknown => this.#now.exports[name];
      given[name] =
        kind === "function"
          ? (...values: unknown[]) => (current() as (...values: unknown[]) => unknown)(...values)
          : {
              get buffer(): ArrayBuffer {
                return (current() as WebAssembly.Memory).buffer;
              },
            };
    }
    return given as WebAssembly.Exports;
  }
}
