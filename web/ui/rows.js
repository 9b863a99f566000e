/** Keeps the DOM of the transcript equal to the piece of the room at hand, touching only what changed. */

import { h } from "./dom.js";
import { entryRow } from "./entry.js";
import { drawPassing, drawStrip } from "./graph.js";
import { isMessage } from "./kinds.js";
import { layLanes } from "./lanes.js";
import { dayKey, dayName } from "./time.js";

/** @import { Entry, Lanes, Room } from "./types.js" */
/** @import { EntryWindow } from "./entry-window.js" */
/** @import { RowContext } from "./entry.js" */

/** Lines of one session within this time stand under one name. */
const SAME_BREATH = 5 * 60_000;

/**
 * @typedef {object} Row
 * @property {Entry} entry
 * @property {HTMLElement} element
 * @property {HTMLElement} article
 * @property {string} drawn what the strip and the line above were drawn from
 */

export class Rows {
  /** @type {Map<string, Row>} */
  #rows = new Map();
  isNarrow = false;

  /**
   * @param {HTMLElement} list
   * @param {() => RowContext} context
   */
  constructor(list, context) {
    this.list = list;
    this.context = context;
  }

  /** @param {string} event */
  article(event) {
    return this.#rows.get(event)?.article;
  }

  get articles() {
    return /** @type {HTMLElement[]} */ ([...this.list.querySelectorAll("article")]);
  }

  /**
   * @param {EntryWindow} piece
   * @param {string | null} divider the event before which the unread ones begin
   */
  render(piece, divider) {
    const context = this.context();
    const { rows: lanes, width } = context.isFiltered ? { rows: [], width: 1 } : layLanes(piece.entries, piece.atEnd);
    this.#drop(piece);
    let cursor = this.list.firstElementChild;
    piece.entries.forEach((entry, at) => {
      const row = this.#row(entry, context);
      if (row.element === cursor) cursor = cursor.nextElementSibling;
      else this.list.insertBefore(row.element, cursor);
      row.article.setAttribute("aria-posinset", String(at + 1));
      this.#decorate(row, piece.entries[at - 1], divider, lanes[at] ?? null, width);
    });
    this.mark(context.room);
  }

  /** @param {Room | undefined} room */
  mark(room) {
    const through = room?.read_through ?? Infinity;
    for (const { entry, article } of this.#rows.values()) {
      article.classList.toggle("is-unread", isUnread(entry, through));
    }
  }

  /** Rows are drawn anew at the next render. */
  clear() {
    this.#rows.clear();
    this.list.replaceChildren();
  }

  /** @param {EntryWindow} piece */
  #drop(piece) {
    for (const [event, row] of this.#rows) {
      if (piece.get(event)) continue;
      row.element.remove();
      this.#rows.delete(event);
    }
  }

  /**
   * @param {Entry} entry
   * @param {RowContext} context
   */
  #row(entry, context) {
    const known = this.#rows.get(entry.event);
    if (known?.entry === entry) return known;
    const article = entryRow(entry, context);
    article.addEventListener("click", ({ target }) => {
      if (target instanceof SVGElement && target.classList.contains("node-hit")) context.inspect(entry);
    });
    if (known) {
      const hadFocus = known.article.contains(document.activeElement);
      article.tabIndex = known.article.tabIndex;
      known.article.replaceWith(article);
      if (hadFocus) article.focus({ preventScroll: true });
    }
    const element = known?.element ?? h("div", { class: "row" }, article);
    const row = { entry, element, article, drawn: "" };
    this.#rows.set(entry.event, row);
    return row;
  }

  /**
   * @param {Row} row
   * @param {Entry | undefined} previous
   * @param {string | null} divider
   * @param {Lanes | null} lanes
   * @param {number} width
   */
  #decorate(row, previous, divider, lanes, width) {
    const { entry, element, article } = row;
    const day = !previous || dayKey(previous.at) !== dayKey(entry.at) ? dayName(entry.at) : "";
    const isFirstUnread = entry.event === divider;
    const continues = !day && !isFirstUnread && isSameBreath(previous, entry);
    const drawn = JSON.stringify([day, isFirstUnread, continues, lanes, width, this.isNarrow]);
    if (drawn === row.drawn) return;
    row.drawn = drawn;
    article.classList.toggle("continues", continues);
    for (const old of element.querySelectorAll(":scope > .between, :scope > article > .strip")) old.remove();
    article.prepend(drawStrip(entry, lanes, width, this.isNarrow));
    for (const line of [day && dayLine(day), isFirstUnread && unreadLine()]) {
      if (!line) continue;
      if (lanes) line.prepend(drawPassing(lanes, width, this.isNarrow));
      element.insertBefore(line, article);
    }
  }
}

/**
 * @param {Entry} entry
 * @param {number} through
 */
export function isUnread(entry, through) {
  return entry.arrival > through && !entry.me && isMessage(entry.kind);
}

/** @param {string} day */
function dayLine(day) {
  return h("div", { class: "between day" }, h("span", null, day));
}

function unreadLine() {
  return h("div", { class: "between unread-divider", "data-testid": "unread-divider" }, h("span", null, "New from here"));
}

/**
 * @param {Entry | undefined} previous
 * @param {Entry} entry
 */
function isSameBreath(previous, entry) {
  return previous !== undefined && previous.session === entry.session && isMessage(previous.kind) && isMessage(entry.kind)
    && Math.abs(Date.parse(entry.at) - Date.parse(previous.at)) < SAME_BREATH;
}
