/** The list of rooms; on a narrow screen a drawer, which the browser's popover opens and closes. */

import { button, fill, h } from "./dom.js";
import { icon } from "./icons.js";

/** @import { Room } from "./types.js" */
/** @import { Store } from "./store.js" */

/**
 * @typedef {object} RailHooks
 * @property {(room: string) => void} open
 * @property {(room: string) => void} beside
 * @property {() => string[]} shown
 * @property {() => void} palette
 * @property {() => void} help
 * @property {() => void} notify
 * @property {() => string} notifyLabel empty where there is nothing to ask for
 */

export class Rail extends HTMLElement {
  #drawn = "";

  /**
   * @param {Store} store
   * @param {RailHooks} hooks
   */
  constructor(store, hooks) {
    super();
    this.store = store;
    this.hooks = hooks;
    this.id = "rail";
    this.popover = "auto";
    this.list = h("ul", { class: "rooms", "data-testid": "rooms" });
    this.foot = h("div", { class: "rail-foot" });
    this.who = h("p", { class: "hint", "data-testid": "own-name" });
    this.append(h("nav", { class: "rail", "aria-label": "Rooms" },
      h("div", { class: "rail-head" }, h("p", { class: "wordmark" }, "pairwave"), this.who), this.list, this.foot));
    store.on("status", () => this.update());
    store.on("connection", () => this.update());
    store.alerts.on("changed", () => this.update());
  }

  update() {
    const { status, connection } = this.store;
    const alerts = status?.rooms.map((room) => this.store.alerts.of(room.room).length);
    const drawn = JSON.stringify([status, alerts, this.hooks.shown(), connection, this.hooks.notifyLabel()]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.who.textContent = status ? status.name : "";
    const focused = this.list.contains(document.activeElement) ? document.activeElement?.getAttribute("data-focus") : null;
    fill(this.list, (status?.rooms ?? []).map((room) => this.#room(room)));
    if (focused) /** @type {HTMLElement | null} */ (this.list.querySelector(`[data-focus="${CSS.escape(focused)}"]`))?.focus();
    this.#showFoot();
  }

  /** @param {Room} room */
  #room(room) {
    const isShown = this.hooks.shown().includes(room.room);
    const others = room.members.filter((member) => !member.me);
    const isAlarmed = room.members.some((member) => member.equivocated) || this.store.alerts.of(room.room).length > 0;
    return h("li", { class: isShown ? "is-shown" : "" },
      h("button", {
        type: "button", class: "room-button", "data-testid": "room-button", "data-room": room.room, "data-focus": room.room,
        "aria-current": isShown ? "true" : false, on: { click: () => this.#go(() => this.hooks.open(room.room)) },
      }, h("span", { class: "room-name" }, isAlarmed && [icon("alarm"), h("span", { class: "visually-hidden" }, "needs a look: ")], room.title),
      h("span", { class: "room-sub" }, subtitle(room, others)),
      room.unread > 0 && h("span", { class: "count", "data-testid": "room-unread" }, String(room.unread), h("span", { class: "visually-hidden" }, " unread"))),
      !isShown && button("", { class: "icon-button small beside", "aria-label": `Show ${room.title} beside`, title: "Show beside", "data-testid": "open-beside", "data-focus": `beside-${room.room}`, on: { click: () => this.#go(() => this.hooks.beside(room.room)) } }, icon("columns")));
  }

  #showFoot() {
    const label = this.hooks.notifyLabel();
    fill(this.foot,
      label && button(label, { class: "quiet", "data-testid": "notify", on: { click: this.hooks.notify } }, icon("bell")),
      button("Commands", { class: "quiet", "data-testid": "open-palette", on: { click: () => this.#go(this.hooks.palette) } }, icon("command")),
      button("Keys", { class: "quiet", "data-testid": "open-keys", on: { click: () => this.#go(this.hooks.help) } }, h("kbd", { "aria-hidden": "true" }, "?")),
      h("p", { class: `link-state is-${this.store.connection}`, "data-testid": "connection-state" }, STATES[this.store.connection]));
  }

  /** @param {() => void} action */
  #go(action) {
    if (this.matches(":popover-open")) this.hidePopover();
    action();
  }
}

const STATES = { connecting: "connecting", live: "live", away: "companion away", locked: "locked", replaced: "in another tab" };

/**
 * @param {Room} room
 * @param {import("./types.js").Member[]} others
 */
function subtitle(room, others) {
  if (room.state === "waiting") return "waiting to be let in";
  if (room.state === "closed") return "being read again";
  if (room.state === "left") return "left";
  if (room.state === "removed") return "removed";
  if (!others.length) return "nobody else yet";
  const names = others.slice(0, 3).map((member) => member.name).join(", ");
  return others.length > 3 ? `${names} and ${others.length - 3} more` : names;
}

customElements.define("pw-rail", Rail);
