// What the policy costs a page, gzipped: its JavaScript, minified as in a page, and its core module.
// The last line is for programs. Exit code 1: more than it may.
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";

const LIMIT = 40 * 1024;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const output = await build({
  root,
  configFile: false,
  logLevel: "silent",
  build: { write: false, target: "es2022", lib: { entry: join(root, "generated/policy.js"), formats: ["es"] }, minify: true },
});
const [{ output: chunks }] = Array.isArray(output) ? output : [output];
const parts = {
  javascript: Buffer.from(chunks.map((chunk) => chunk.code ?? "").join("")),
  wasm: await readFile(join(root, "generated/policy.core.wasm")),
};
const gzipped = Object.fromEntries(
  Object.entries(parts).map(([name, bytes]) => [name, gzipSync(bytes, { level: 9 }).byteLength]),
);
const total = gzipped.javascript + gzipped.wasm;
console.log(JSON.stringify({ ...gzipped, total, limit: LIMIT }));
process.exit(total < LIMIT ? 0 : 1);
