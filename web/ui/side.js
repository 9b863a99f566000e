/** What stands beside the transcript: people and what the room remembers, behind tabs, or all about one event. */

import { fill, h, uid } from "./dom.js";
import { showInspector } from "./inspector.js";

/** @import { Entry } from "./types.js" */
/** @import { SidePanel, SideTab } from "./memory-types.js" */
/** @import { Store } from "./store.js" */

const KEPT = "pairwave.side";
/** Much that happens in a row is looked at once. */
const SETTLE = 400;

/** @type {Record<SideTab, string>} */
const NAMES = { people: "People", ledger: "Ledger", brain: "Brain", days: "Days", git: "Git" };

export class Side {
  /** @type {Entry | null} */
  inspected = null;
  /** @type {SideTab} */
  tab;
  /** Something has happened since a panel was last seen. @type {Set<SideTab>} */
  #stale;
  #timer = 0;

  /**
   * @param {Store} store
   * @param {string} room
   * @param {Record<SideTab, SidePanel>} panels
   * @param {AbortSignal} signal
   */
  constructor(store, room, panels, signal) {
    this.panels = panels;
    const names = /** @type {SideTab[]} */ (Object.keys(panels));
    this.#stale = new Set(names);
    this.tab = names.find((name) => name === localStorage.getItem(KEPT)) ?? "people";
    this.tabs = names.map((name) => this.#tab(name));
    this.tablist = h("div", { class: "tabs", role: "tablist", "aria-label": "Beside the transcript", on: { keydown: (/** @type {KeyboardEvent} */ event) => this.#key(event) } }, this.tabs);
    this.inspector = h("div", { class: "inspected", hidden: true });
    this.element = h("aside", { class: "side", tabindex: "-1", "data-testid": "side" }, this.tablist, names.map((name) => this.#panel(name)), this.inspector);
    store.on("entry", (said) => said.fresh && said.entry.room === room && this.#happened(), signal);
    store.on("notice", (notice) => (notice.room === room || notice.notice === "missed") && notice.notice !== "delivery" && notice.notice !== "presence" && this.#happened(), signal);
    store.on("ready", () => this.#happened(), signal);
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
    this.#draw();
  }

  get isSeen() {
    return this.element.getClientRects().length > 0;
  }

  /** @param {SideTab} tab */
  show(tab) {
    this.inspected = null;
    this.tab = tab;
    localStorage.setItem(KEPT, tab);
    this.#draw();
    this.element.scrollTop = 0;
  }

  /** To where the keyboard goes on in the panel that is shown. */
  focus() {
    const panel = this.panels[this.tab];
    if (panel.focus) panel.focus();
    else this.#button(this.tab)?.focus();
  }

  /**
   * @param {Entry} entry
   * @param {{goTo: (event: string) => void, back: () => void}} hooks
   */
  inspect(entry, hooks) {
    this.inspected = entry;
    this.#draw();
    showInspector(this.inspector, entry, hooks);
    this.element.scrollTop = 0;
    this.inspector.querySelector("h3")?.focus();
  }

  /** The side may have come to be seen. */
  look() {
    if (this.inspected || !this.isSeen || !this.#stale.delete(this.tab)) return;
    this.panels[this.tab].refresh();
  }

  /** @param {SideTab} name */
  #tab(name) {
    const id = uid("tab");
    return h("button", {
      type: "button", class: "tab", role: "tab", id, "aria-controls": `${id}-panel`, "data-tab": name, "data-testid": `tab-${name}`, on: { click: () => this.show(name) },
    }, NAMES[name]);
  }

  /** @param {SideTab} name */
  #panel(name) {
    const tab = this.#button(name);
    const { element } = this.panels[name];
    element.id = `${tab?.id}-panel`;
    element.classList.add("tab-panel");
    element.setAttribute("role", "tabpanel");
    element.setAttribute("aria-labelledby", tab?.id ?? "");
    element.dataset.testid = `panel-${name}`;
    return element;
  }

  /** @param {SideTab} name */
  #button(name) {
    return this.tabs.find((tab) => tab.dataset.tab === name);
  }

  #draw() {
    this.tablist.hidden = this.inspected !== null;
    this.inspector.hidden = this.inspected === null;
    if (!this.inspected) fill(this.inspector);
    for (const tab of this.tabs) {
      const isChosen = tab.dataset.tab === this.tab;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
    }
    for (const [name, { element }] of Object.entries(this.panels)) element.hidden = this.inspected !== null || name !== this.tab;
    this.look();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const steps = { ArrowRight: 1, ArrowLeft: -1, Home: -this.tabs.length, End: this.tabs.length };
    const step = steps[/** @type {keyof typeof steps} */ (event.key)];
    if (!step) return;
    event.preventDefault();
    const at = this.tabs.findIndex((tab) => tab.dataset.tab === this.tab);
    const to = Math.abs(step) === 1 ? (at + step + this.tabs.length) % this.tabs.length : step < 0 ? 0 : this.tabs.length - 1;
    this.show(/** @type {SideTab} */ (this.tabs[to].dataset.tab));
    this.tabs[to].focus();
  }

  #happened() {
    for (const name of /** @type {SideTab[]} */ (Object.keys(this.panels))) this.#stale.add(name);
    this.#timer ||= window.setTimeout(() => {
      this.#timer = 0;
      this.look();
    }, SETTLE);
  }
}
