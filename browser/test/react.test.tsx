// @vitest-environment happy-dom
import { act } from "react";
import { createRoot } from "react-dom/client";
import { expect, it, vi } from "vitest";
import { useServerCleanup } from "../src/react.js";
import type { Client } from "../src/client.js";
import { World } from "./fakes.js";

it("shows a client's status, and connects it", async () => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  const world = new World();
  const client = world.tab();
  const View = ({ of }: { of: Client }): string => useServerCleanup(of).state;
  const shown = (): string | null | undefined => document.querySelector("main")?.textContent;
  const main = document.body.appendChild(document.createElement("main"));
  const view = createRoot(main);
  await act(async () => view.render(<View of={client} />));
  await act(async () => {
    await vi.waitFor(() => expect(client.status.getSnapshot().state).toBe("connecting"));
    await world.clock.pass(10);
  });
  expect(shown()).toBe("connected");
  await act(async () => world.server.kill());
  expect(shown()).toBe("reconnecting");
  await act(async () => view.unmount());
  expect(client.status.getSnapshot().state).toBe("reconnecting");
});
