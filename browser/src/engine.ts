/** Asks cr8_engine for Blender; `{recovery: true}` leaves one that is there alone, whatever it has open. */
export const READY = "browser_ready";

type Fields = { readonly [name: string]: unknown };

/** What a message of the engine says. */
export interface Content {
  status: string | undefined;
  /** In a sentence. */
  message: string | undefined;
  data: Fields;
}

/** cr8_engine puts what it says into an envelope, `{message_id, type, payload, metadata}`; Lifeline's own events have none. */
export function contentOf(message: unknown): Content {
  const envelope = fields(message);
  if (typeof envelope.message_id !== "string" || typeof envelope.payload !== "object") {
    return { status: undefined, message: undefined, data: envelope };
  }
  const { status, message: sentence, data } = fields(envelope.payload);
  return { status: text(status), message: text(sentence), data: fields(data) };
}

/** Why there will be no Blender, if an `instance_status` says so. */
export function failureOf({ status, message, data }: Content): string | undefined {
  if (status !== "error" && status !== "cancelled") {
    return undefined;
  }
  return message ?? text(data.reason) ?? status;
}

function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
