/** The page as a whole: the rail, the columns beside each other, and what lies over them. */

import { button, fill, h } from "./dom.js";
import { lockedState, replacedState } from "./locked.js";
import { Rail } from "./rail.js";
import { RequestDesk } from "./request-desk.js";
import { RoomColumn } from "./room.js";
import { toastShelf } from "./toast.js";

/** @import { Store } from "./store.js" */

const COLUMNS = "pairwave.columns";

/** @typedef {Pick<import("./rail.js").RailHooks, "palette" | "help" | "notify" | "notifyLabel">} AppHooks */

export class App extends HTMLElement {
  /** @type {RoomColumn[]} */
  columns = [];
  /** The column that keys and commands mean. @type {RoomColumn | null} */
  active = null;
  #countdown = 0;

  /**
   * @param {Store} store
   * @param {AppHooks} hooks
   */
  constructor(store, hooks) {
    super();
    this.store = store;
    this.desk = new RequestDesk(store);
    this.rail = new Rail(store, {
      ...hooks,
      open: (room) => this.open(room),
      beside: (room) => this.openBeside(room),
      shown: () => this.columns.map((column) => column.roomId),
    });
    this.board = h("div", { class: "columns", "data-testid": "columns", on: { focusin: (/** @type {Event} */ event) => this.#noteActive(event) } });
    this.main = h("main", null, h("h1", { class: "visually-hidden" }, "pairwave"), this.board);
    this.offline = h("div", { class: "offline", hidden: true, "data-testid": "offline", role: "status" });
    this.cover = h("div", { class: "cover", hidden: true });
    this.append(this.rail, this.main, this.cover, this.offline, toastShelf());
    store.on("status", () => this.#status());
    store.on("connection", () => this.#connection());
    this.#quiet("Opening …");
  }

  /**
   * Shows a room in place of the active one.
   * @param {string} room
   */
  open(room) {
    const shown = this.columns.find((column) => column.roomId === room);
    if (shown) return this.#activate(shown, true);
    const column = this.#column(room);
    const old = this.active;
    if (old) {
      this.columns[this.columns.indexOf(old)] = column;
      old.replaceWith(column);
      old.end();
    } else this.#append(column);
    this.#changed(column);
  }

  /**
   * Shows a room beside those that are shown.
   * @param {string} room
   */
  openBeside(room) {
    if (this.columns.some((column) => column.roomId === room)) return this.open(room);
    const column = this.#column(room);
    this.#append(column);
    this.#changed(column);
  }

  /** @param {RoomColumn} column */
  close(column) {
    if (this.columns.length < 2) return;
    this.columns = this.columns.filter((other) => other !== column);
    column.end();
    this.#changed(this.columns[0]);
  }

  /** @param {number} step to the next or the previous room of the list */
  cycle(step) {
    const rooms = this.store.status?.rooms ?? [];
    const at = rooms.findIndex((room) => room.room === this.active?.roomId);
    const next = rooms[(at + step + rooms.length) % rooms.length];
    if (next) this.open(next.room);
  }

  /** @param {RoomColumn} column */
  #append(column) {
    if (!this.columns.length) fill(this.board);
    this.columns.push(column);
    this.board.append(column);
  }

  /** @param {string} room */
  #column(room) {
    const column = new RoomColumn(this.store, room, {
      close: () => this.close(column), canClose: () => this.columns.length > 1, openRequest: (id) => this.desk.open(room, id),
    });
    return column;
  }

  /** @param {RoomColumn} column */
  #changed(column) {
    localStorage.setItem(COLUMNS, JSON.stringify(this.columns.map((one) => one.roomId)));
    this.board.dataset.count = String(this.columns.length);
    this.#activate(column, false);
    for (const one of this.columns) one.update();
  }

  /**
   * @param {RoomColumn} column
   * @param {boolean} focus
   */
  #activate(column, focus) {
    this.active = column;
    for (const one of this.columns) one.classList.toggle("is-active", one === column);
    if (focus) column.composer.focusText();
    column.scrollIntoView({ inline: "nearest", block: "nearest" });
    this.rail.update();
  }

  /** @param {Event} event */
  #noteActive(event) {
    const column = this.columns.find((one) => event.target instanceof Node && one.contains(event.target));
    if (column && column !== this.active) this.#activate(column, false);
  }

  #status() {
    const rooms = this.store.status?.rooms ?? [];
    for (const column of this.columns) if (!rooms.some((room) => room.room === column.roomId)) this.#gone(column);
    if (this.columns.length) return;
    if (!rooms.length) return this.#noRooms();
    const kept = keptColumns().filter((id) => rooms.some((room) => room.room === id));
    for (const id of kept.length ? kept : [rooms[0].room]) this.openBeside(id);
    if (this.columns[0]) this.#activate(this.columns[0], false);
  }

  /** @param {RoomColumn} column */
  #gone(column) {
    this.columns = this.columns.filter((other) => other !== column);
    column.end();
    this.active = this.columns[0] ?? null;
  }

  #noRooms() {
    fill(this.board, h("div", { class: "state", "data-testid": "no-rooms" }, h("h2", null, "No room yet"),
      h("p", null, "A room belongs to a project folder. In yours, run"), h("pre", { tabindex: "0" }, "pairwave init --name you"),
      h("p", null, "or, with the invite that somebody sent you,"), h("pre", { tabindex: "0" }, "pairwave join pairwave1… --name you"),
      h("p", { class: "hint" }, "It appears here by itself.")));
  }

  /** @param {string} text */
  #quiet(text) {
    fill(this.board, h("div", { class: "state" }, h("p", { class: "quiet-note", role: "status" }, text)));
  }

  #connection() {
    const { connection } = this.store;
    const isCovered = connection === "locked" || connection === "replaced";
    this.cover.hidden = !isCovered;
    if (isCovered) this.#coverWith(connection === "locked" ? lockedState() : replacedState(() => this.store.start()));
    this.main.inert = this.rail.inert = isCovered;
    this.offline.hidden = connection !== "away";
    this.classList.toggle("is-away", connection === "away");
    clearInterval(this.#countdown);
    if (connection === "away") this.#showAway();
    else if (connection === "live" && this.store.status && !this.store.status.rooms.length) this.#noRooms();
  }

  /** @param {HTMLElement} state */
  #coverWith(state) {
    for (const dialog of document.querySelectorAll("dialog")) dialog.close();
    fill(this.cover, state);
    this.cover.querySelector("h1")?.focus();
  }

  #showAway() {
    const left = h("span", { "aria-hidden": "true" });
    const tick = () => {
      const seconds = Math.ceil((this.store.retryAt - Date.now()) / 1000);
      left.textContent = seconds > 0 ? ` Trying again in ${seconds} s.` : " Trying …";
    };
    tick();
    this.#countdown = window.setInterval(tick, 1000);
    // Said once: a live region that counts seconds would never be quiet.
    if (this.offline.querySelector("p")) this.offline.querySelector("p span")?.replaceWith(left);
    else fill(this.offline, h("p", null, h("b", null, "Your companion is away."), " What you write is kept.", left), button("Try now", { "data-testid": "retry-now", on: { click: () => this.store.stream.retry() } }));
  }
}

/** @returns {string[]} */
function keptColumns() {
  try {
    const kept = JSON.parse(localStorage.getItem(COLUMNS) ?? "[]");
    return Array.isArray(kept) ? kept.filter((id) => typeof id === "string").slice(0, 4) : [];
  } catch {
    return [];
  }
}

customElements.define("pw-app", App);
