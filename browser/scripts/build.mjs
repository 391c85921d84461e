// The package, in lib/: ES modules with their types, and what was generated.
import { execFileSync } from "node:child_process";
import { copyFile, cp, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
await rm(join(root, "lib"), { recursive: true, force: true });
execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.lib.json"], { cwd: root, stdio: "inherit" });
// The compiler leaves out what is JavaScript already, or nothing but types.
await cp(join(root, "generated"), join(root, "lib/generated"), { recursive: true, filter: (file) => !/(?<!\.d)\.ts$/.test(file) });
// Beside package.json, where npm looks for it.
await copyFile(join(root, "../LICENSE"), join(root, "LICENSE"));
