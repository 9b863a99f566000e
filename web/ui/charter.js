/** What the members agreed to do, and not to do: reading it, accepting it, declining it. */

import { asRefused } from "./api.js";
import { openCharterEditor } from "./charter-editor.js";
import { openDialog } from "./dialog.js";
import { button, field, fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { PressGuard } from "./press-guard.js";
import { ago, fullTime } from "./time.js";

/** @import { Charter, CharterText, Entry } from "./types.js" */
/** @import { Store } from "./store.js" */

const STATES = { none: "No charter yet", proposed: "Proposed", agreed: "Agreed" };
/** @type {Record<string, string>} */
const APPROVES = {
  none: "Every request waits for a human.",
  low: "Requests of low risk need no human.",
  all: "Requests need no human, unless their risk is high.",
};
/** @type {[keyof CharterText, string][]} */
const LISTS = [["scope", "Belongs to it"], ["out_of_scope", "Does not belong to it"], ["must_nots", "Nobody may"], ["response_contract", "How the sides answer"]];

/**
 * @param {Store} store
 * @param {string} room
 */
export function openCharter(store, room) {
  if (document.querySelector("[data-testid=charter-dialog]")) return;
  void new CharterDialog(store, room).load();
}

class CharterDialog {
  #drawn = "";

  /**
   * @param {Store} store
   * @param {string} room
   */
  constructor(store, room) {
    this.store = store;
    this.room = room;
    this.view = openDialog({ title: "Charter", testid: "charter-dialog", className: "charter", isSticky: true });
    this.problem = h("p", { class: "refusal", role: "alert", "data-testid": "charter-refusal" });
    this.view.show(h("p", { role: "status" }, "Reading …"));
    store.on("entry", ({ entry }) => this.#heard(entry), this.view.signal);
  }

  async load() {
    try {
      this.show(await this.store.api.ask("show_charter", { room: this.room }));
    } catch (error) {
      this.#failed(error);
    }
  }

  /** @param {Charter} charter */
  show(charter) {
    if (this.view.signal.aborted || JSON.stringify(charter) === this.#drawn) return;
    this.#drawn = JSON.stringify(charter);
    this.view.dialog.dataset.state = charter.state;
    fill(this.problem);
    this.view.show(
      h("p", { class: "charter-state" }, h("span", { class: `chip is-${charter.state}`, "data-testid": "charter-state" }, STATES[charter.state]),
        charter.by && h("span", { class: "hint" }, "by ", h("bdi", null, charter.by), charter.at && [", ", h("time", { datetime: charter.at, title: fullTime(charter.at) }, ago(charter.at))])),
      charter.declined && declinedNote(charter.declined),
      charter.charter ? charterText(charter.charter) : h("p", null, "A charter says what the members of this room work on together, and what nobody may do. Until all of them have accepted the same one, agents can only chat, ask, answer and say how it goes."),
      charter.charter && standing(charter),
      charter.state === "proposed" && charter.needs_human && h("p", { class: "human-note", "data-testid": "needs-human" }, icon("shield"),
        "It lets agents do more than they may without it. So only a human can accept it, here or in a terminal."),
      charter.next && h("p", { class: "next-note" }, charter.next),
      this.problem, this.#actions(charter));
  }

  /** @param {Entry} entry */
  #heard(entry) {
    if (entry.room === this.room && (entry.kind.startsWith("charter_") || entry.kind === "verified")) void this.load();
  }

  /** @param {Charter} charter */
  #actions(charter) {
    const me = this.store.room(this.room)?.me.name ?? "";
    const isAsked = charter.state === "proposed" && charter.missing.includes(me);
    const accept = button("Accept", { class: "primary", "data-testid": "charter-accept", on: { click: (/** @type {Event} */ event) => guard.accepts(event) && this.#ask("accept_charter", { hash: charter.hash }) } }, icon("check"));
    const guard = new PressGuard(accept, this.view.signal);
    return h("div", { class: "actions" }, isAsked && accept,
      isAsked && button("Decline …", { class: "danger", "data-testid": "charter-decline", on: { click: () => this.#askWhy(charter) } }),
      button(charter.charter ? "Propose a change" : "Propose a charter", { class: charter.charter ? "" : "primary", "data-testid": "charter-edit", on: { click: () => this.#edit(charter) } }, icon("pen")));
  }

  /** @param {Charter} charter */
  #askWhy(charter) {
    const reason = h("input", { maxlength: "500", autocomplete: "off", "data-testid": "charter-reason" });
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      void this.#ask("decline_charter", { hash: charter.hash, reason: reason.value.trim() || undefined });
    };
    this.view.body.querySelector(".actions")?.replaceWith(h("form", { on: { submit } }, field("Why not", reason, "The others see it. If there was one before, that one is in force again."),
      h("div", { class: "actions" }, h("button", { class: "danger", "data-testid": "charter-decline-confirm" }, "Decline"))));
    reason.focus();
  }

  /** @param {Charter} charter */
  #edit(charter) {
    this.view.dialog.close();
    openCharterEditor(this.store, this.room, charter.charter, () => openCharter(this.store, this.room));
  }

  /**
   * @param {string} ask
   * @param {Record<string, unknown>} question
   */
  async #ask(ask, question) {
    try {
      this.show(await this.store.api.ask(ask, { room: this.room, ...question }));
      this.store.refresh();
    } catch (error) {
      this.#failed(error);
      void this.load();
    }
  }

  /** @param {unknown} error */
  #failed(error) {
    const { failure } = asRefused(error);
    fill(this.problem, h("b", null, failure.message), " ", failure.next);
    if (!this.#drawn) this.view.show(this.problem);
  }
}

/** @param {CharterText} text */
function charterText(text) {
  const lists = LISTS.flatMap(([name, title]) => {
    const items = /** @type {string[]} */ (text[name] ?? []);
    return items.length ? [h("section", { class: `is-${name}` }, h("h4", null, title), h("ul", null, items.map((item) => h("li", null, item))))] : [];
  });
  return h("article", { class: "charter-text", "data-testid": "charter-text" },
    h("h3", null, text.title), h("p", { class: "purpose" }, text.purpose), lists.length > 0 && h("div", { class: "charter-lists" }, lists),
    h("ul", { class: "charter-bounds" },
      h("li", null, APPROVES[text.auto_approve ?? "none"] ?? `Requests that need no human: ${text.auto_approve}.`),
      h("li", null, `${text.max_hops ?? 3} messages from agent to agent, then a human is asked.`),
      h("li", null, `Live mode lasts ${text.live_minutes ?? 20} minutes at most.`)));
}

/** @param {Charter} charter */
function standing({ accepted, missing }) {
  return h("ul", { class: "standing", "data-testid": "charter-standing" },
    accepted.map((name) => h("li", { class: "has-accepted", "data-accepted": "true" }, icon("check"), h("bdi", null, name), " accepted it")),
    missing.map((name) => h("li", { "data-accepted": "false" }, h("span", { class: "presence", "aria-hidden": "true" }), h("bdi", null, name), " has not")));
}

/** @param {NonNullable<Charter["declined"]>} declined */
function declinedNote({ title, by, reason }) {
  return h("p", { class: "declined-note", "data-testid": "charter-declined" }, icon("close"),
    h("span", null, h("bdi", null, by), " declined ", h("q", null, title), reason ? [": ", h("bdi", null, reason)] : "."));
}
