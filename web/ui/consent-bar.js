/** Where the agreement of a room stands, in one line: its charter, the floor, what waits for a yes, and what was held back. */

import { openCharter } from "./charter.js";
import { button, fill, h } from "./dom.js";
import { openFindings } from "./findings.js";
import { holderOf, hopsView, openFloor } from "./floor.js";
import { icon } from "./icons.js";
import { openQuarantine } from "./quarantine.js";

/** @import { Room } from "./types.js" */
/** @import { Store } from "./store.js" */

const LOOK_AGAIN = 15_000;
const CHARTER = { none: "no charter", proposed: "charter proposed", agreed: "charter" };

export class ConsentBar extends HTMLElement {
  #drawn = "";
  #findings = 0;
  #shared = 0;

  /**
   * @param {Store} store
   * @param {string} room
   * @param {{openRequest: () => void}} hooks
   * @param {AbortSignal} signal
   */
  constructor(store, room, hooks, signal) {
    super();
    this.store = store;
    this.roomId = room;
    this.hooks = hooks;
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", "Agreement of this room");
    store.on("status", () => this.update(), signal);
    store.on("ready", () => this.#look(), signal);
    store.requests.on("changed", () => this.update(), signal);
    store.findings.on("changed", (changed) => {
      if (changed.room !== room) return;
      this.#findings = changed.findings.length;
      this.update();
    }, signal);
    store.shared.on("changed", (changed) => {
      if (changed.room !== room) return;
      this.#shared = changed.items.filter(({ state }) => state !== "removed").length;
      this.update();
    }, signal);
    // What was held back is no event of the room: nobody tells that it was.
    const looking = setInterval(() => store.connection === "live" && void store.findings.look(room), LOOK_AGAIN);
    signal.addEventListener("abort", () => clearInterval(looking));
    if (store.connection === "live") this.#look();
    this.update();
  }

  #look() {
    void this.store.findings.look(this.roomId);
    void this.store.shared.look(this.roomId);
  }

  update() {
    const room = this.store.room(this.roomId);
    const isShown = room?.state === "member" && (room.members.length > 1 || this.#findings + this.#shared > 0);
    this.hidden = !isShown;
    if (!room || !isShown) return;
    const pending = this.store.requests.pending(this.roomId).length;
    const drawn = JSON.stringify([room.charter, room.floor, room.me, pending, this.#findings, this.#shared]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const focused = this.contains(document.activeElement) ? document.activeElement?.getAttribute("data-testid") : null;
    fill(this, this.#charter(room), this.#floor(room),
      this.#shared > 0 && button(`${this.#shared} shared`, { class: "chip", "data-testid": "open-quarantine", on: { click: () => openQuarantine(this.store, this.roomId) } }, icon("box")),
      pending > 0 && button(pending === 1 ? "1 request" : `${pending} requests`, { class: "chip is-asking", "data-testid": "open-request", on: { click: () => this.hooks.openRequest() } }, icon("shield")),
      this.#findings > 0 && button(this.#findings === 1 ? "1 held back" : `${this.#findings} held back`, { class: "chip is-warning", "data-testid": "open-findings", on: { click: () => openFindings(this.store, this.roomId) } }, icon("alarm")));
    if (focused) /** @type {HTMLElement | null} */ (this.querySelector(`[data-testid="${focused}"]`))?.focus();
  }

  /** @param {Room} room */
  #charter({ charter }) {
    if (!charter) return null;
    return h("button", { type: "button", class: `chip is-${charter.state}`, "data-testid": "open-charter", "data-state": charter.state, on: { click: () => openCharter(this.store, this.roomId) } },
      icon("charter"), h("span", { class: "chip-name" }, CHARTER[charter.state] ?? "charter"), charter.title && h("bdi", { class: "chip-value" }, charter.title));
  }

  /** @param {Room} room */
  #floor(room) {
    const { floor } = room;
    if (!floor) return null;
    const waiting = floor.waiting?.length ?? 0;
    return h("button", { type: "button", class: `chip ${waiting && floor.holder === room.me.member ? "is-asking" : ""}`, "data-testid": "open-floor", "data-holder": floor.holder ?? "", on: { click: () => openFloor(this.store, this.roomId) } },
      icon("floor"), h("span", { class: "chip-name" }, "floor"), h("bdi", { class: "chip-value" }, holderOf(floor, room)),
      waiting > 0 && h("span", { class: "chip-extra" }, `${waiting} waiting`), hopsView(floor));
  }
}

customElements.define("pw-consent", ConsentBar);
