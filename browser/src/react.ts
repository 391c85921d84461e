import { useEffect, useSyncExternalStore } from "react";
import type { Client } from "./client.js";
import type { Status } from "./status.js";

/** The status of a client, which this connects. It stays connected when the component goes: a session outlives a view. */
export function useServerCleanup(client: Client): Status {
  useEffect(() => {
    void client.connect();
  }, [client]);
  return useSyncExternalStore(client.status.subscribe, client.status.getSnapshot, client.status.getSnapshot);
}
