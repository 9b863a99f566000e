/** A contiguous piece of a room in the room's order, of bounded length. */

import { compare } from "./order.js";

/** @import { Entry } from "./types.js" */

export class EntryWindow {
  /** @type {Entry[]} */
  entries = [];
  /** Whether the piece reaches the room's first event. */
  atStart = false;
  /** Whether the piece reaches the room's newest event. */
  atEnd = false;
  /** @type {Map<string, Entry>} */
  #byId = new Map();

  get first() {
    return this.entries[0];
  }

  get last() {
    return this.entries[this.entries.length - 1];
  }

  /** @param {string} event */
  get(event) {
    return this.#byId.get(event);
  }

  /**
   * @param {Entry[]} entries
   * @param {{atStart: boolean, atEnd: boolean}} edges
   */
  reset(entries, { atStart, atEnd }) {
    this.#byId = new Map(entries.map((entry) => [entry.event, entry]));
    this.entries = [...this.#byId.values()].sort(compare);
    this.atStart = atStart;
    this.atEnd = atEnd;
  }

  /**
   * Adds a page that joins one edge.
   * @param {"start" | "end"} edge
   * @param {Entry[]} page
   * @param {boolean} isLast nothing comes after it in this direction
   */
  extend(edge, page, isLast) {
    const unknown = page.filter((entry) => !this.#byId.has(entry.event));
    for (const entry of unknown) this.#byId.set(entry.event, entry);
    this.entries = [...this.entries, ...unknown].sort(compare);
    if (edge === "start") this.atStart ||= isLast;
    else this.atEnd ||= isLast;
  }

  /**
   * Takes one entry where it belongs, once.
   * @param {Entry} entry
   * @returns {"added" | "updated" | "outside"} outside: beyond an edge behind which there is more
   */
  insert(entry) {
    if (this.#byId.has(entry.event)) return this.#replace(entry);
    const { first, last } = this;
    if (first && !this.atStart && compare(entry, first) < 0) return "outside";
    if (!this.atEnd && (!last || compare(entry, last) > 0)) return "outside";
    const at = this.#place(entry);
    this.entries.splice(at, 0, entry);
    this.#byId.set(entry.event, entry);
    return "added";
  }

  /**
   * Drops what is far, and so keeps the piece bounded.
   * @param {"start" | "end"} edge
   * @param {number} limit
   * @returns {boolean} whether anything was dropped
   */
  trim(edge, limit) {
    const excess = this.entries.length - limit;
    if (excess <= 0) return false;
    const dropped = edge === "start" ? this.entries.splice(0, excess) : this.entries.splice(limit);
    for (const entry of dropped) this.#byId.delete(entry.event);
    if (edge === "start") this.atStart = false;
    else this.atEnd = false;
    return true;
  }

  /**
   * @param {Entry} entry
   * @returns {"updated"}
   */
  #replace(entry) {
    const at = this.entries.findIndex((known) => known.event === entry.event);
    this.entries[at] = entry;
    this.#byId.set(entry.event, entry);
    return "updated";
  }

  /** @param {Entry} entry */
  #place(entry) {
    let at = this.entries.length;
    while (at > 0 && compare(this.entries[at - 1], entry) > 0) at -= 1;
    return at;
  }
}
