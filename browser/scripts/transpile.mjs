// The policy component as JavaScript: the very bytes that Blender's host embeds; and the sandbox for others.
// Bytes and sources are strings in modules: whoever bundles the package needs no rule for files of other kinds.
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
/** jco marks what it writes with a directive of its own, which bundlers complain of. */
const MARK = '"use components";\n';

let component;
try {
  component = await readFile(source);
} catch (error) {
  console.error(`${source} cannot be read (${error.code}): build it with \`cargo xtask build\`, or set LIFELINE_POLICY`);
  process.exit(1);
}
await $init;
const files = new Map(generate(component, GENERATE).files);
await rm(output, { recursive: true, force: true });
const write = async (name, content) => {
  const path = join(output, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
};
const constant = (about, name, value) => `/** ${about} */\nexport const ${name}: string = ${JSON.stringify(value)};\n`;

const cores = [...files].filter(([name]) => name.endsWith(".wasm"));
if (cores.length !== 1) {
  console.error(`${source} has ${cores.length} core modules, and a page takes a built-in policy of one`);
  process.exit(1);
}
for (const [name, bytes] of files) {
  if (!name.endsWith(".wasm")) {
    await write(name, Buffer.from(bytes).toString().replace(MARK, ""));
  }
}
const [[, core]] = cores;
await write(
  "component.ts",
  constant("Of the component that was transpiled.", "SHA256", createHash("sha256").update(component).digest("hex")) +
    constant("Its core module, in base64.", "CORE", Buffer.from(core).toString("base64")),
);

// What runs in the sandbox of another policy, in one script: nothing can be loaded there. No module: a document
// without an origin cannot have a worker of one.
const [{ output: made }] = await build({
  root,
  configFile: false,
  logLevel: "error",
  // All is within the script: it does not matter where that is from.
  define: { "import.meta.url": JSON.stringify("data:,") },
  build: {
    write: false,
    target: "es2022",
    lib: { entry: join(root, "src/policy/sandbox.ts"), formats: ["iife"], name: "sandbox", fileName: () => "sandbox.js" },
    minify: true,
    license: { fileName: "licenses.md" },
  },
});
const named = (name) => made.find(({ fileName }) => fileName === name);
await write("sandbox_source.ts", constant("What runs in the sandbox of another policy.", "SOURCE", named("sandbox.js").code));
await write("licenses.md", named("licenses.md").source);
