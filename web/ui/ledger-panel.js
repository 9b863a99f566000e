/** Where the room stands: what is open, what was decided, asked for, found out and shared. */

import { asRefused } from "./api.js";
import { button, fill, h } from "./dom.js";
import { openExport } from "./export.js";
import { openHandoff } from "./handoff.js";
import { icon } from "./icons.js";
import { kindName } from "./kinds.js";
import { openReport } from "./report.js";
import { ago, fullTime, minute } from "./time.js";

/** @import { Ledger, LedgerLine, PanelHooks } from "./memory-types.js" */
/** @import { Store } from "./store.js" */

/** Lines of a section before somebody asks for the rest. */
const FEW = 4;

/**
 * @typedef {object} Section
 * @property {string} id
 * @property {string} title
 * @property {string} empty what would put something there
 * @property {string} [kind] finds all of them in the transcript
 * @property {string} [counted] how many there are in all, among the counts
 * @property {(ledger: Ledger) => LedgerLine[]} lines
 */

/** @type {Section[]} */
const SECTIONS = [
  { id: "questions", title: "Open questions", kind: "question", counted: "open_questions", lines: (ledger) => ledger.open_questions,
    empty: "None. A message of the kind “question” stands here until it is answered." },
  { id: "requests", title: "Requests", kind: "action", lines: (ledger) => ledger.open_requests,
    empty: "None. What an agent asks to have done on the other side stands here, and what became of it." },
  { id: "decisions", title: "Decisions", kind: "decision", counted: "decisions", lines: (ledger) => ledger.decisions,
    empty: "None yet. A message of the kind “decision” says what was decided, and why." },
  { id: "headlines", title: "Findings", lines: (ledger) => ledger.headlines,
    empty: "None yet. Findings, contexts, reviews and handoffs stand here by their headlines." },
  { id: "artifacts", title: "Shared code", kind: "code", counted: "artifacts", lines: (ledger) => ledger.artifacts,
    empty: "None yet. Code and patches that agents share stand here; they lie inert in the quarantine." },
];

export class LedgerPanel {
  element = h("div", null);
  /** Sections of which all is shown. @type {Set<string>} */
  #unfolded = new Set();
  /** What is there already is left alone: somebody may be pressing it. */
  #drawn = "";
  /** @type {Ledger | null} */
  #ledger = null;

  /**
   * @param {Store} store
   * @param {string} room
   * @param {PanelHooks} hooks
   */
  constructor(store, room, hooks) {
    this.store = store;
    this.room = room;
    this.hooks = hooks;
    this.body = h("div", { class: "ledger", "data-testid": "ledger" });
    this.element.append(this.#tools(), this.body);
  }

  async refresh() {
    try {
      this.#ledger = await this.store.api.ask("show_ledger", { room: this.room });
      this.#draw();
    } catch (error) {
      const { failure } = asRefused(error);
      if (!this.#ledger) fill(this.body, h("p", { class: "quiet-note" }, failure.message));
    }
  }

  #tools() {
    const { store, room } = this;
    return h("div", { class: "panel-tools" },
      button("Handoff", { "data-testid": "open-handoff", title: "Where the room stands, to go on from", on: { click: () => void openHandoff(store, room) } }, icon("handoff")),
      button("Report", { "data-testid": "open-report", title: "Who took part, what was decided, by day", on: { click: () => void openReport(store, room) } }, icon("report")),
      button("Export", { "data-testid": "open-export", title: "The whole transcript as a file", on: { click: () => openExport(store, room) } }, icon("export")));
  }

  #draw() {
    const ledger = this.#ledger;
    const drawn = JSON.stringify([ledger, [...this.#unfolded], minute()]);
    if (!ledger || drawn === this.#drawn) return;
    this.#drawn = drawn;
    const focused = this.body.contains(document.activeElement) ? document.activeElement?.getAttribute("data-focus") : null;
    fill(this.body, ledger.summary && this.#summary(ledger.summary), SECTIONS.map((section) => this.#section(section, ledger)));
    if (focused) /** @type {HTMLElement | null} */ (this.body.querySelector(`[data-focus="${CSS.escape(focused)}"]`))?.focus({ preventScroll: true });
  }

  /** @param {LedgerLine} line */
  #summary(line) {
    return h("section", { class: "ledger-section ledger-summary", "data-testid": "ledger-summary" }, h("h3", null, "Last summary"), this.#line(line, "summary"));
  }

  /**
   * @param {Section} section
   * @param {Ledger} ledger
   */
  #section(section, ledger) {
    const lines = section.lines(ledger);
    const total = section.id === "requests" ? sum(ledger.requests) : section.counted ? ledger.counts[section.counted] ?? lines.length : lines.length;
    const few = this.#unfolded.has(section.id) ? lines : lines.slice(0, FEW);
    const inAll = section.id === "questions" ? ledger.counts.questions ?? 0 : total;
    return h("section", { class: "ledger-section", "data-testid": `ledger-${section.id}`, "data-count": String(total) },
      h("h3", null, section.title, total > 0 && h("span", { class: "tally" }, String(total))),
      section.id === "requests" && total > 0 && requestStates(ledger),
      lines.length > 0 && h("ul", { class: "ledger-lines" }, few.map((line) => h("li", null, this.#line(line, section.id)))),
      total === 0 && h("p", { class: "empty-note" }, section.empty),
      this.#more(section, lines.length - few.length, inAll, few.length));
  }

  /**
   * @param {Section} section
   * @param {number} folded lines that are at hand
   * @param {number} inAll how many the transcript has
   * @param {number} shown
   */
  #more({ id, kind }, folded, inAll, shown) {
    const unfold = () => {
      this.#unfolded.add(id);
      this.#draw();
      // What was pressed is gone: the keyboard goes on at the first line that came instead.
      /** @type {HTMLElement | undefined} */ (this.body.querySelectorAll(`[data-testid=ledger-${id}] .ledger-line`)[FEW])?.focus();
    };
    const isElsewhere = kind !== undefined && inAll > shown;
    if (folded <= 0 && !isElsewhere) return null;
    return h("p", { class: "ledger-more" },
      folded > 0 && button(`${folded} more`, { class: "link", "data-testid": "ledger-unfold", "data-focus": `unfold-${id}`, on: { click: unfold } }),
      isElsewhere && button(`All ${inAll.toLocaleString("en")} in the transcript`, { class: "link", "data-testid": "ledger-all", "data-focus": `all-${id}`, on: { click: () => this.hooks.narrow(kind) } }));
  }

  /**
   * @param {LedgerLine} line
   * @param {string} section
   */
  #line(line, section) {
    return h("button", { type: "button", class: "ledger-line", "data-testid": "ledger-line", "data-event": line.event, "data-focus": `${section}-${line.event}`, on: { click: () => this.hooks.goTo(line.event) } },
      h("bdi", { class: "ledger-text" }, line.text),
      h("span", { class: "ledger-by" },
        (section === "requests" || section === "headlines") && `${kindName(line.kind)} · `,
        h("bdi", null, line.me ? "you" : line.from), " · ", h("time", { datetime: line.at, title: fullTime(line.at) }, ago(line.at))));
  }
}

/** @param {Ledger} ledger */
function requestStates({ requests }) {
  return h("p", { class: "request-states", "data-testid": "request-states" },
    Object.entries(requests).map(([state, count]) => h("span", { class: `chip standing-chip is-${state}`, "data-state": state }, `${count} ${kindName(state)}`)));
}

/** @param {Record<string, number>} counts */
function sum(counts) {
  return Object.values(counts).reduce((all, count) => all + count, 0);
}
