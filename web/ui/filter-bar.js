/** Full-text search and the filters by kind and person. */

import { button, fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { kindName, MESSAGE_KINDS, ROOM_KINDS } from "./kinds.js";
import { noFilter } from "./pager.js";

/** @import { Filter, Member } from "./types.js" */

const SETTLE = 250;

export class FilterBar extends HTMLElement {
  #timer = 0;
  #people = "";

  /**
   * @param {string} title of the room
   * @param {(filter: Filter) => void} changed
   */
  constructor(title, changed) {
    super();
    this.changed = changed;
    this.query = h("input", {
      type: "search", placeholder: "Search this room", "aria-label": "Search this room", "data-testid": "search", autocomplete: "off", maxlength: "200",
      on: { input: () => this.#soon(), keydown: (/** @type {KeyboardEvent} */ event) => this.#key(event) },
    });
    const change = { on: { change: () => this.#now() } };
    this.kind = h("select", { "aria-label": "Kind", "data-testid": "filter-kind", ...change },
      h("option", { value: "" }, "every kind"),
      h("optgroup", { label: "Messages" }, MESSAGE_KINDS.map((kind) => h("option", { value: kind }, kindName(kind)))),
      h("optgroup", { label: "The room" }, ROOM_KINDS.map((kind) => h("option", { value: kind }, kindName(kind)))));
    this.from = h("select", { "aria-label": "From", "data-testid": "filter-from", ...change });
    this.append(h("search", { class: "filter-bar", "aria-label": `Search ${title}` }, h("span", { class: "search-field" }, icon("search"), this.query), this.kind, this.from,
      button("", { class: "icon-button small", "aria-label": "Close search", "data-testid": "search-close", on: { click: () => this.close() } }, icon("close"))));
    this.hidden = true;
  }

  open() {
    this.hidden = false;
    this.query.focus();
    this.query.select();
  }

  /**
   * Narrows the room to one kind.
   * @param {string} kind
   */
  pick(kind) {
    this.reset();
    this.hidden = false;
    this.kind.value = kind;
    this.#now();
  }

  close() {
    const wasNarrow = Object.values(this.#filter()).some(Boolean);
    this.reset();
    if (wasNarrow) this.changed(noFilter());
  }

  /** Back to the whole room, without telling. */
  reset() {
    clearTimeout(this.#timer);
    this.query.value = this.kind.value = this.from.value = "";
    this.hidden = true;
  }

  /** @param {Member[]} members */
  offer(members) {
    const names = JSON.stringify(members.map((member) => [member.member, member.name]));
    if (names === this.#people) return;
    this.#people = names;
    const chosen = this.from.value;
    fill(this.from, h("option", { value: "" }, "everybody"), members.map((member) => h("option", { value: member.member }, member.name)));
    this.from.value = chosen;
  }

  /** @returns {Filter} */
  #filter() {
    return { query: this.query.value.trim(), kind: this.kind.value, from: this.from.value };
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key === "Enter") this.#now();
    if (event.key !== "Escape") return;
    event.stopPropagation();
    this.close();
  }

  #soon() {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#now(), SETTLE);
  }

  #now() {
    clearTimeout(this.#timer);
    this.changed(this.#filter());
  }
}

customElements.define("pw-filter-bar", FilterBar);
