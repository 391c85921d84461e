import type { Talk } from "./sandboxed.js";

/** The only one in the frame. A page's own policy has to allow it by its hash: see docs/browser.md. */
export const SCRIPT = `
addEventListener("message", ({ data, ports }) => {
  const source = new Blob([data.source], { type: "text/javascript" });
  new Worker(URL.createObjectURL(source)).postMessage(data.bytes, ports);
}, { once: true });
`;
/**
 * A document of no origin: it has none of the page's storage, cookies or documents, and may fetch nothing.
 * Its worker has a thread of its own, so a policy that loops for ever holds nobody up. The worker's source
 * comes by message, for a document like this cannot load it.
 */
const DOCUMENT = `<!doctype html><meta http-equiv="Content-Security-Policy" content="default-src 'none';
script-src 'unsafe-inline' 'wasm-unsafe-eval' blob: data:; worker-src blob:; connect-src data:"><script>${SCRIPT}</script>`;

/** Opens a sandbox and gives it a component, which it answers for by itself. */
export async function open(bytes: Uint8Array): Promise<Talk> {
  const { SOURCE: source } = await import("../../generated/sandbox_source.js");
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.hidden = true;
  frame.srcdoc = DOCUMENT;
  const { port1, port2 } = new MessageChannel();
  frame.addEventListener("load", () => frame.contentWindow?.postMessage({ source, bytes }, "*", [port2]), { once: true });
  document.body.append(frame);
  return {
    port: port1,
    end() {
      port1.close();
      // Its worker ends with it, whatever it is doing.
      frame.remove();
    },
  };
}
