import { defineConfig } from "vitest/config";

export default defineConfig({
  base: "./",
  build: { target: "es2022", outDir: "dist", assetsInlineLimit: 0, reportCompressedSize: true },
  test: { include: ["test/**/*.test.ts", "test/**/*.test.tsx"], restoreMocks: true },
});
