// The policy component as JavaScript: the very bytes that Blender's host embeds.
// $LIFELINE_POLICY names another component.
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { $init, generate } from "@bytecodealliance/jco-transpile/component";
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
