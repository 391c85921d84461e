// What the policy costs a page, gzipped and minified as in a page, its core module within it.
// The last line is for programs. Exit code 1: more than it may.
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
  build: { write: false, target: "es2022", lib: { entry: join(root, "src/policy/built_in.ts"), formats: ["es"] }, minify: true },
});
const [{ output: chunks }] = Array.isArray(output) ? output : [output];
const code = chunks.map((chunk) => chunk.code ?? "").join("");
const total = gzipSync(Buffer.from(code), { level: 9 }).byteLength;
console.log(JSON.stringify({ total, limit: LIMIT }));
process.exit(total < LIMIT ? 0 : 1);
