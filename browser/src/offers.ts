/** Unsaved work that Blender has found, and opens if somebody wants it. */
export interface Offer {
  /** Of the copy's file; what `Client.openRecovered` takes. */
  readonly name: string;
  /** The file that it is of; "": it had no name. */
  readonly of: string;
  /** ISO 8601. */
  readonly savedAt: string;
  /** `outage`, `connected`: Blender was ended while the server was there, or `unsent`: saved, and in no store. */
  readonly cause: string;
}

/** Of the event `recovery_offers`; what is no offer is left out. */
export function offersIn(data: unknown): readonly Offer[] {
  const copies = (data as { copies?: unknown } | null | undefined)?.copies;
  return (Array.isArray(copies) ? copies : []).flatMap((copy: unknown) => {
    const { name, of, saved_at: savedAt, cause } = (copy ?? {}) as Record<string, unknown>;
    const whole = [name, of, savedAt, cause].every((it) => typeof it === "string");
    return whole ? [{ name, of, savedAt, cause } as Offer] : [];
  });
}
