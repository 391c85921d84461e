import type { Offer, Status } from "../src/index.js";

/** How serious it is. */
export type Tone = "plain" | "good" | "worried" | "alarmed" | "over";

/** What a person reads. */
export interface Words {
  tone: Tone;
  badge: string;
  title: string;
  detail: string;
  reason: string;
  /** From 1 down to 0; undefined: nobody knows how long it takes; null: there is none. */
  bar: number | undefined | null;
  buttons: readonly Button[];
  /** Said aloud when it changes, so no seconds in it. */
  aloud: string;
}

export type Button = "try" | "end" | "launch" | "connect" | "disconnect";

/** In the last minute it is a warning. */
const LAST_MINUTE = 60_000;

const REFUSED = "The server is there, and refuses this page. Blender may be connected to it all the same.";

export function words(status: Status, now: number): Words {
  const reason = reasonOf(status);
  const refused = status.refused !== undefined;
  const base = { reason: "", bar: null, detail: "" } as const;
  switch (status.state) {
    case "idle":
      return { ...base, tone: "plain", badge: "Not connected", title: "Not connected", buttons: ["connect"], aloud: "Not connected" };
    case "connecting":
      return { ...base, tone: "plain", badge: "Connecting", title: "Connecting", bar: undefined, buttons: [], aloud: "Connecting" };
    case "connected": {
      const said = connected(status, now);
      const add = (text: string): string => [text, verdict(status.report)].filter(Boolean).join(" ");
      return { ...said, detail: add(said.detail), aloud: add(said.aloud) };
    }
    case "reconnecting": {
      const title = `Reconnecting, attempt ${status.attempt} of ${status.attempts}`;
      const detail = refused ? REFUSED : "Blender goes on running, and tries the same.";
      return { ...base, tone: "worried", badge: refused ? "Refused" : "Connection lost", title, detail, reason, bar: undefined, buttons: ["try"], aloud: title };
    }
    case "unreachable": {
      const left = Math.max(0, (status.endsAt ?? now) - now);
      const last = left <= LAST_MINUTE;
      return {
        tone: last ? "alarmed" : "worried",
        badge: last ? "Ending soon" : refused ? "Refused" : "Server unreachable",
        // A Blender that is not refused stays.
        title: `${refused ? "This session ends" : "Blender will save and close"} in ${clock(left)}`,
        detail: refused ? REFUSED : "Unless the server is back before that, or somebody keeps Blender open.",
        reason,
        bar: status.countdown > 0 ? Math.min(1, left / status.countdown) : 0,
        buttons: ["try", "end"],
        aloud: "",
      };
    }
    case "ending":
      return { ...base, tone: "alarmed", badge: "Ending", title: "Ending the session", reason, bar: undefined, buttons: [], aloud: "The session ends" };
    case "closed":
      return closed(status, now, reason);
  }
}

function closed(status: Status, now: number, reason: string): Words {
  const left = (status.endsAt ?? 0) - now;
  const refused = status.refused !== undefined;
  const title = refused ? "The server refuses this page." : "Server unavailable.";
  const told = status.extended ? " What became of it is told here when the server is back." : "";
  const detail =
    refused
      ? "A Blender that it does not refuse goes on running."
      : left > 0
        ? `Blender saves your work and closes in ${clock(left)}.`
        : status.endsAt === undefined
          ? "Blender saves your work and closes by itself."
          : `Blender should have saved your work and closed.${told}`;
  const aloud = left > 0 ? `${title} The session has ended.` : `${title} ${detail}`;
  return { tone: "over", badge: "Session ended", title, detail, reason, bar: null, buttons: ["try"], aloud };
}

function connected(status: Status, now: number): Words {
  const { blender, file } = status;
  const name = file === undefined ? "Blender" : `Blender with ${nameOf(file)}`;
  const waits = Math.max(0, Math.floor((now - Number(blender.since)) / 1000));
  const base = { reason: "", bar: null, detail: "" } as const;
  switch (blender.state) {
    case "connected":
      return { ...base, tone: "good", badge: "Connected", title: "Connected", detail: `${name} is at work.`, buttons: ["disconnect"], aloud: "Connected. Blender is at work." };
    case "expected":
      return { ...base, tone: "plain", badge: "Server is back", title: "The server is back. Waiting for Blender", detail: "It is still open, and connects by itself.", bar: undefined, buttons: ["disconnect"], aloud: "The server is back. Waiting for Blender." };
    case "asking":
    case "launching": {
      const title = blender.again ? `Relaunching ${name}` : `Starting ${name}`;
      const progress = blender.progress ? ` The server says: ${blender.progress}.` : "";
      const detail = blender.state === "asking" ? "Asking the server for it." : `It starts; ${waits} s so far.${progress}`;
      return { ...base, tone: "plain", badge: blender.again ? "Server is back" : "Connected", title, detail, bar: undefined, buttons: ["disconnect"], aloud: title };
    }
    case "failed":
      return { ...base, tone: "alarmed", badge: "Connected", title: "Blender could not be started", reason: blender.error ?? "", buttons: ["launch", "disconnect"], aloud: `Blender could not be started: ${blender.error ?? ""}` };
    case "unknown":
      return { ...base, tone: "good", badge: "Connected", title: "Connected", detail: "The server has told of no Blender.", buttons: ["launch", "disconnect"], aloud: "Connected. The server has told of no Blender." };
    case "absent":
      return { ...base, tone: "good", badge: "Connected", title: "Connected", detail: "No Blender is open.", buttons: ["launch", "disconnect"], aloud: "Connected. No Blender is open." };
  }
}

function reasonOf(status: Status): string {
  const how = {
    "never-connected": "The server was not reached.",
    "transport-error": "The connection broke.",
    "ping-timeout": "The server stopped answering.",
    "server-disconnect": "The server has ended the connection.",
  };
  const why = status.why === undefined ? "" : how[status.why];
  return status.refused === undefined ? why : `It says: ${status.refused}`;
}

/** Where the work is, as a report says it; a bool, until it said where. */
const SAFE = new Map<unknown, "no" | "local" | "uploaded">([
  [true, "local"],
  [false, "no"],
  ["no", "no"],
  ["local", "local"],
  ["uploaded", "uploaded"],
]);

/** Whether the work is safe. Only Blender knows: before its report nobody says so. */
function verdict(report: Status["report"]): string {
  const safe = SAFE.get(report?.safe);
  if (report === undefined || safe === undefined) {
    return "";
  }
  const when = report.type === "termination" ? "when it was told to end" : "in the last outage";
  if (safe !== "no" && report.wanted === "uploaded" && safe !== "uploaded") {
    return `Your work was saved by Blender ${when}, but on its own machine alone: it could not be uploaded.`;
  }
  return safe !== "no" ? `Your work was saved by Blender ${when}${safe === "uploaded" ? ", and uploaded" : ""}.` : `Blender cannot confirm that it saved your work ${when}.`;
}

/** Each save of a clean-up in a sentence. */
export function saves(report: Status["report"]): string[] {
  const list = Array.isArray(report?.saves) ? (report.saves as Record<string, unknown>[]) : [];
  const lines = list.map((save) => {
    if (save.ok !== true) {
      const reasons = Array.isArray(save.failures) ? save.failures.join("; ") : "";
      return `Not saved: ${reasons}`;
    }
    const what = save.recovery === true ? "Saved as a recovery copy" : "Saved in its place";
    const checked = typeof save.sha256 === "string" ? ", read back" : "";
    return `${what}: ${String(save.path)} (${size(save.bytes)}${checked})`;
  });
  const upload = report?.upload as { ok?: boolean; bytes?: unknown; error?: unknown } | null | undefined;
  if (upload) {
    lines.push(upload.ok === true ? `Uploaded (${size(upload.bytes)})` : `Not uploaded: ${String(upload.error)}`);
  }
  return lines;
}

/** `chair.blend, 25/11/2026, 19:03`, by this computer's clock and customs. */
export function offerText(offer: Offer): string {
  return `${nameOf(offer.of)}, ${new Date(offer.savedAt).toLocaleString()}`;
}

function size(bytes: unknown): string {
  if (typeof bytes !== "number") {
    return "size unknown";
  }
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** `3:12`; what is left of a second counts as one. */
export function clock(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

export function nameOf(file: string): string {
  return file === "" ? "untitled work" : (file.split(/[\\/]/).pop() ?? file);
}
