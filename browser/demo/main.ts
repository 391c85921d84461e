import "./style.css";
import { Client, type Status } from "../src/index.js";
import { type Button, clock, nameOf, offerText, saves, words } from "./words.js";

const NOTES = "cr8-demo-notes";
const BUTTONS: readonly Button[] = ["try", "end", "launch", "connect", "disconnect"];

function element<Kind extends HTMLElement>(id: string): Kind {
  const found = document.getElementById(id);
  if (found === null) {
    throw new Error(`no #${id} in the page`);
  }
  return found as Kind;
}

// The fragment is not sent to the server, so no log has it.
const given = new URLSearchParams(location.hash.slice(1));
const notes = element<HTMLTextAreaElement>("notes");
notes.value = sessionStorage.getItem(NOTES) ?? "";
notes.addEventListener("input", () => sessionStorage.setItem(NOTES, notes.value));

const client = new Client({
  token: given.get("token") ?? "",
  username: given.get("user") ?? "",
  url: given.get("server") ?? "",
  ...(given.has("file") ? { file: given.get("file") ?? "" } : {}),
  settings: JSON.parse(given.get("settings") ?? "{}"),
  clear: () => {
    sessionStorage.removeItem(NOTES);
    notes.value = "";
  },
});

const actions: Record<Button, () => void> = {
  try: () => client.tryNow(),
  end: () => client.endNow(),
  launch: () => client.launch(),
  connect: () => void client.connect(),
  disconnect: () => client.disconnect(),
};
for (const name of BUTTONS) {
  element(name).addEventListener("click", actions[name]);
}

/** Writes only what is new: a screen reader hears of it, and a selection stays. */
function text(id: string, content: string): void {
  const found = element(id);
  if (found.textContent !== content) {
    found.textContent = content;
  }
}

/** Focus that goes with its button would fall to the body: the headline says what has become of it, and Tab goes on from there. */
function show(buttons: readonly Button[]): void {
  const focused = BUTTONS.find((name) => element(name) === document.activeElement);
  for (const name of BUTTONS) {
    element(name).hidden = !buttons.includes(name);
  }
  if (focused !== undefined && !buttons.includes(focused)) {
    element("title").focus();
  }
}

let reported: Status["report"];
let offered: Status["offers"] = [];

function draw(): void {
  const status = client.status.getSnapshot();
  const now = client.now();
  const said = words(status, now);
  element("line").dataset.tone = said.tone;
  text("state", said.badge);
  text("title", said.title);
  text("detail", said.detail);
  text("reason", said.reason);
  document.title = status.state === "unreachable" ? `${clock((status.endsAt ?? now) - now)} · CR8` : `${said.badge} · CR8`;
  const bar = element<HTMLProgressElement>("bar");
  bar.hidden = said.bar === null;
  if (said.bar === undefined) {
    bar.removeAttribute("value");
  } else if (said.bar !== null) {
    bar.value = said.bar;
  }
  bar.setAttribute("aria-label", said.title);
  show(said.buttons);
  if (status.state !== "unreachable") {
    text("urgent", "");
  }
  if (said.aloud !== "") {
    text("polite", said.aloud);
  }
  const there = status.blender.state === "connected";
  element("blender").dataset.there = String(there);
  const open = status.file === undefined ? "Nothing is known of it." : `${nameOf(status.file)}${there || element("viewport").hidden ? "" : ", as it was last seen"}`;
  text("blender-text", open);
  const { policy, policyRefused } = status;
  const refused = policyRefused === undefined ? "" : `; another one was not taken: ${policyRefused}`;
  text("policy", policy === undefined ? "" : `Policy: ${policy.name} ${policy.version} (${policy.origin})${refused}`);
  drawReport(status);
  drawOffers(status);
}

function drawOffers(status: Status): void {
  if (status.offers === offered) {
    return;
  }
  offered = status.offers;
  element("offers").hidden = offered.length === 0;
  element("unsaved").replaceChildren(
    ...offered.map((offer) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.textContent = "Open";
      button.addEventListener("click", () => client.openRecovered(offer.name));
      item.append(offerText(offer), " ", button);
      return item;
    }),
  );
}

function drawReport(status: Status): void {
  if (status.report === reported) {
    return;
  }
  reported = status.report;
  const lines = saves(status.report);
  element("report").hidden = lines.length === 0;
  element("saves").replaceChildren(
    ...lines.map((line) => {
      const item = document.createElement("li");
      item.textContent = line;
      return item;
    }),
  );
}

client.on("warn", ({ left }) => {
  const what = client.status.getSnapshot().refused === undefined ? "Blender will save and close" : "This session ends";
  text("urgent", `${what} in ${clock(left)}.`);
});
client.on("log", (message) => console.info(message));
client.on("server", ({ name, data }) => {
  const { png } = (data ?? {}) as { png?: unknown };
  if (name === "viewport" && typeof png === "string") {
    const picture = element<HTMLImageElement>("viewport");
    picture.src = `data:image/png;base64,${png}`;
    picture.alt = "What Blender's window shows";
    picture.hidden = false;
  }
});
client.status.subscribe(draw);
// The countdown is computed each time: it does not matter how often, or how late.
setInterval(draw, 250);
document.addEventListener("visibilitychange", draw);
draw();

Object.assign(window, { lifeline: client });
void client.connect();
