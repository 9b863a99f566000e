/** A request in the transcript: what is asked, how dangerous it is, and where it stands by now. */

import { RISKS, payloadLabel, stateName, whatItDoes } from "./action-words.js";
import { button, fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { revealed } from "./reveal.js";

/** @import { ActionRequest, Entry } from "./types.js" */
/** @import { RowContext } from "./entry.js" */
/** @import { Requests } from "./requests.js" */

/**
 * @param {Entry} entry
 * @param {RowContext} context
 * @param {HTMLElement} tools
 */
export function requestCard(entry, context, tools) {
  return h("div", { class: "said" },
    h("p", { class: "labels" }, h("span", { class: "kind", "data-testid": "entry-kind" }, "request"), entry.void && h("span", { class: "mark", "data-testid": "void-mark" }, "no effect: ", h("bdi", null, entry.void))),
    new RequestCard(entry, context), tools);
}

/** Follows the request as long as it is on the page. */
class RequestCard extends HTMLElement {
  #shown = new AbortController();
  #drawn = "";

  /**
   * @param {Entry} entry
   * @param {RowContext} context
   */
  constructor(entry, context) {
    super();
    this.entry = entry;
    this.context = context;
    this.className = "request-card";
    this.dataset.testid = "request-card";
    fill(this, h("p", { class: "request-line" }, h("bdi", null, entry.text)));
  }

  connectedCallback() {
    this.#shown = new AbortController();
    this.context.requests.on("changed", ({ room }) => { if (room === this.entry.room) void this.#look(); }, this.#shown.signal);
    void this.#look();
  }

  disconnectedCallback() {
    this.#shown.abort();
  }

  async #look() {
    const { room, event, request: id = event } = this.entry;
    const request = await this.context.requests.find(room, id);
    if (!request || this.#shown.signal.aborted || JSON.stringify(request) === this.#drawn) return;
    this.#drawn = JSON.stringify(request);
    this.#draw(request);
  }

  /** @param {ActionRequest} request */
  #draw(request) {
    const { risk, summary, from, to, mine, warnings, target_path: path } = request;
    const whom = request.for_me ? "you" : to;
    this.dataset.state = request.state;
    fill(this,
      h("p", { class: "request-line" }, mine ? "You ask " : [h("bdi", null, from), " asks "], h("bdi", null, whom), ` to ${whatItDoes(request)}`, path && [" ", h("code", { class: "exact" }, revealed(path, { letters: true }))]),
      h("p", { class: "headline" }, revealed(summary)),
      h("p", { class: "request-chips" },
        h("span", { class: `chip standing-chip is-${request.state}`, "data-testid": "request-state" }, stateName(request)),
        h("span", { class: `risk is-${risk}`, "data-testid": "risk" }, RISKS[risk]),
        warnings.length > 0 && h("span", { class: "mark danger-mark", "data-testid": "danger-mark", title: warnings.map(({ reason }) => reason).join(" ") }, icon("alarm"), warnings.length === 1 ? warnings[0].reason : `${warnings.length} warnings`)),
      outcome(request),
      request.for_me && request.state === "pending" && button("Look at it", { class: "primary", "data-testid": "open-this-request", on: { click: () => this.context.openRequest(request.id) } }),
      h("details", { class: "request-payload" }, h("summary", { "data-testid": "show-payload", on: { click: () => void this.#payload() } }, payloadLabel(request)), h("pre", { class: "exact", tabindex: "0", role: "group", "aria-label": payloadLabel(request) })));
  }

  async #payload() {
    const place = this.querySelector("pre");
    if (!place || place.childNodes.length) return;
    const detail = await this.context.requests.show(this.entry.room, this.entry.request ?? this.entry.event).catch(() => null);
    fill(place, detail ? h("code", null, revealed(detail.payload, { letters: detail.request.action !== "apply_patch" && detail.request.action !== "write_file" })) : "It cannot be read now.");
  }
}

/** @param {ActionRequest} request */
function outcome({ state, reason, detail }) {
  const words = state === "denied" ? reason : state === "done" || state === "failed" ? detail : null;
  return words ? h("p", { class: `outcome is-${state}`, "data-testid": "request-outcome" }, h("bdi", null, words)) : null;
}

customElements.define("pw-request-card", RequestCard);
