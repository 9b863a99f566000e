/** Tells the companion what the human has seen: only while the tab is in front, and only what stood on the screen. */

import { isUnread } from "./rows.js";

/** @import { Store } from "./store.js" */
/** @import { Entry, Room } from "./types.js" */
/** @import { EntryWindow } from "./entry-window.js" */

const DWELL = 700;

export class Reader {
  #timer = 0;
  #isNoting = false;
  /** What stood on the screen and is not told yet: by arrival, whether it was unread. @type {Map<number, boolean>} */
  #seen = new Map();

  /**
   * @param {Store} store
   * @param {string} room
   * @param {{piece: () => EntryWindow, passed: () => Entry[], lookUp: (event: string) => Promise<Entry | null>}} view
   */
  constructor(store, room, view) {
    this.store = store;
    this.room = room;
    this.view = view;
  }

  /** Something moved: what is on the screen now was seen, and in a moment that is told. */
  nudge() {
    if (!isInFront()) return;
    this.#see();
    this.#timer ||= window.setTimeout(() => {
      this.#timer = 0;
      void this.#note();
    }, DWELL);
  }

  async #note() {
    if (this.#isNoting) return;
    this.#isNoting = true;
    const first = await this.#firstUnread();
    this.#isNoting = false;
    const room = this.store.room(this.room);
    if (!room || !isInFront() || this.store.connection !== "live") return;
    this.#see();
    const through = this.#through(room, first);
    const told = [...this.#seen.keys()].filter((arrival) => arrival <= through);
    const read = told.filter((arrival) => arrival > room.read_through && this.#seen.get(arrival)).length;
    for (const arrival of told) this.#seen.delete(arrival);
    if (!read) return;
    this.store.markRead(this.room, through, Math.max(0, room.unread - read));
    this.store.api.ask("mark_read", { room: this.room, through }).then(() => this.store.refresh(), () => {});
  }

  #see() {
    for (const entry of this.view.passed()) this.#seen.set(entry.arrival, isUnread(entry, 0));
  }

  /**
   * The lowest arrival that may be unread. Below it nothing is, as the companion says.
   * @returns {Promise<number>}
   */
  async #firstUnread() {
    const room = this.store.room(this.room);
    if (!room?.first_unread) return 0;
    return room.first_unread_arrival ?? (await this.view.lookUp(room.first_unread))?.arrival ?? 0;
  }

  /**
   * The highest arrival below which nothing is unseen. It stops at the first one that the page knows nothing of: that may
   * be an unread message far above. If it is none, the next status says where to go on.
   * @param {Room} room
   * @param {number} first
   */
  #through(room, first) {
    const here = new Map(this.view.piece().entries.map((entry) => [entry.arrival, entry]));
    let through = Math.max(room.read_through, first - 1);
    for (;;) {
      const entry = here.get(through + 1);
      const isRead = this.#seen.has(through + 1) || (entry !== undefined && !isUnread(entry, through));
      if (!isRead) return through;
      through += 1;
    }
  }
}

export function isInFront() {
  return document.visibilityState === "visible" && document.hasFocus();
}
