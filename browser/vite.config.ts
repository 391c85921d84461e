import { defineConfig } from "vitest/config";

export default defineConfig({
  base: "./",
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
  },
  test: {
    include: ["test/**/*.test.ts", "test/**/*.test.tsx"],
    restoreMocks: true,
    // A busy computer is no failure.
    testTimeout: 120_000,
  },
});
