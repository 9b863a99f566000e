/** Tells the companion what the human has seen: only while the tab is in front, and only what stood on the screen. */

import { isUnread } from "./rows.js";

/** @import { Store } from "./store.js" */
/** @import { Entry, Room } from "./types.js" */
/** @import { EntryWindow } from "./entry-window.js" */

const DWELL = 700;

export class Reader {
  #timer = 0;
  /** Came in above what was on the screen, so that being at the end does not mean having seen it. @type {Set<string>} */
  slippedIn = new Set();

  /**
   * @param {Store} store
   * @param {string} room
   * @param {() => {piece: EntryWindow, seen: Set<string>, isAtEnd: boolean} | null} look what is on the screen
   */
  constructor(store, room, look) {
    this.store = store;
    this.room = room;
    this.look = look;
  }

  /** Something moved: in a moment, note what is read. */
  nudge() {
    if (this.#timer || !isInFront()) return;
    this.#timer = window.setTimeout(() => {
      this.#timer = 0;
      this.#note();
    }, DWELL);
  }

  #note() {
    const room = this.store.room(this.room);
    const view = this.look();
    if (!room || !view || !isInFront() || this.store.connection !== "live") return;
    for (const event of view.seen) this.slippedIn.delete(event);
    const through = this.#through(view.piece, view.seen, view.isAtEnd);
    if (through <= room.read_through) return;
    const left = view.isAtEnd ? view.piece.entries.filter((entry) => isUnread(entry, through)).length : room.unread;
    this.store.markRead(this.room, through, left);
    this.store.api.ask("mark_read", { room: this.room, through }).then(() => this.store.refresh(), () => {});
  }

  /**
   * The highest arrival up to which nothing unseen is left.
   * @param {EntryWindow} piece
   * @param {Set<string>} seen
   * @param {boolean} isAtEnd
   */
  #through(piece, seen, isAtEnd) {
    const lowest = Math.max(-1, ...piece.entries.flatMap((entry, at) => (seen.has(entry.event) ? [at] : [])));
    const above = isAtEnd ? piece.entries : piece.entries.slice(0, lowest + 1);
    const below = isAtEnd ? [] : piece.entries.slice(lowest + 1);
    const unseen = [...below, ...above.filter((entry) => this.slippedIn.has(entry.event))];
    const reached = Math.max(0, ...above.map((entry) => entry.arrival));
    return Math.min(reached, ...unseen.map((entry) => entry.arrival - 1));
  }
}

export function isInFront() {
  return document.visibilityState === "visible" && document.hasFocus();
}
