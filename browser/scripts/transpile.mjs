// The policy component as JavaScript: the very bytes that Blender's host embeds; and the sandbox for others.
// $LIFELINE_POLICY names another component.
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { $init, generate } from "@bytecodealliance/jco-transpile/component";
import { build } from "vite";
import { GENERATE } from "../src/policy/generate.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = process.env.LIFELINE_POLICY ?? join(root, "../target/policies/five-minutes.wasm");
const output = join(root, "generated");

let component;
try {
  component = await readFile(source);
} catch (error) {
  console.error(`${source} cannot be read (${error.code}): build it with \`cargo xtask build\`, or set LIFELINE_POLICY`);
  process.exit(1);
}
await $init;
const { files } = generate(component, GENERATE);
await rm(output, { recursive: true, force: true });
for (const [name, bytes] of files) {
  const path = join(output, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}
const sha256 = createHash("sha256").update(component).digest("hex");
await writeFile(join(output, "identity.ts"), `/** Of the component that was transpiled. */\nexport const SHA256 = "${sha256}";\n`);

// What runs in the sandbox of another policy, in one file: nothing can be loaded there. No module: a document
// without an origin cannot have a worker of one.
await build({
  root,
  configFile: false,
  logLevel: "error",
  // All is within the file: it does not matter where that is from.
  define: { "import.meta.url": JSON.stringify("data:,") },
  build: {
    outDir: output,
    emptyOutDir: false,
    target: "es2022",
    lib: { entry: join(root, "src/policy/sandbox.ts"), formats: ["iife"], name: "sandbox", fileName: () => "sandbox.js" },
    minify: true,
  },
});
