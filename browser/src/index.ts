/** The browser's half of Lifeline. */
export { Client } from "./client.js";
export type { EventMap } from "./events.js";
export type { PolicyStatus } from "./judging.js";
export type { Offer } from "./offers.js";
export type { Options } from "./options.js";
export { PolicyRefused } from "./policy/refused.js";
export type { Blender, BlenderState } from "./relaunch.js";
export type { Seconds } from "./settings.js";
export type { CleanupReport, PageState, Status } from "./status.js";
export type { Store } from "./store.js";
