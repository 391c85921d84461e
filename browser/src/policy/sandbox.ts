import { serve } from "./serve.js";
import { transpile } from "./transpile.js";

// The only thing that is in a sandbox: a worker in a document of no origin (see frame.ts).
addEventListener(
  "message",
  ({ data, ports: [port] }: MessageEvent<Uint8Array>) => {
    if (port !== undefined) {
      void serve(port, data, transpile);
    }
  },
  { once: true },
);
