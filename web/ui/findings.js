/** What the secret scan held back: showing it, and letting one finding pass. */

import { openDialog } from "./dialog.js";
import { button, fill, h } from "./dom.js";
import { Emitter } from "./emitter.js";
import { icon } from "./icons.js";
import { revealed } from "./reveal.js";
import { ago, fullTime } from "./time.js";
import { toast, toastFailure } from "./toast.js";

/** @import { Failure, Finding } from "./types.js" */
/** @import { Store } from "./store.js" */

/** The rule by which the companion refuses to say what looks like a secret. */
export const SECRET_FOUND = "secret_found";

/** @extends {Emitter<{changed: {room: string, findings: Finding[]}}>} */
export class Findings extends Emitter {
  /** @param {import("./api.js").Api} api */
  constructor(api) {
    super();
    this.api = api;
  }

  /**
   * @param {string} room
   * @returns {Promise<Finding[]>} the newest first
   */
  async look(room) {
    const { findings } = await this.api.ask("findings", { room }).catch(() => ({ findings: [] }));
    this.emit("changed", { room, findings });
    return findings;
  }

  /**
   * The finding that a refusal is about, which names it.
   * @param {string} room
   * @param {Failure} failure
   */
  async of(room, { candidates = [] }) {
    const findings = await this.look(room);
    return findings.find(({ id }) => candidates.includes(id)) ?? null;
  }

  /**
   * @param {string} room
   * @param {Finding} finding
   */
  async letPass(room, { id }) {
    await this.api.ask("override", { room, id });
    await this.look(room);
  }
}

/** @param {Finding} finding */
export function findingView({ rule, what, field, excerpt }) {
  return h("div", { class: "finding", "data-testid": "finding" },
    h("p", null, h("b", null, `This looks like ${what}`), h("span", { class: "hint" }, ` in ${field}, by the rule ${rule}`)),
    h("pre", { class: "exact", tabindex: "0", role: "group", "aria-label": "Where it was found, masked", "data-testid": "finding-excerpt" }, h("code", null, revealed(excerpt))));
}

/**
 * What was held back in a room, of this human and of the agents here.
 * @param {Store} store
 * @param {string} room
 */
export function openFindings(store, room) {
  const { show, signal } = openDialog({ title: "Held back", testid: "findings-dialog", className: "findings", isSticky: true });
  const list = h("ul", { class: "finding-list" });
  show(h("p", null, "This looked like secrets, so it was not sent. Whoever wanted to send it can do so after you let it pass; everybody in the room reads it then, and keeps it."), list);
  store.findings.on("changed", (changed) => { if (changed.room === room) draw(changed.findings); }, signal);
  const draw = (/** @type {Finding[]} */ findings) => fill(list, findings.length ? findings.map((finding) => findingRow(store, room, finding)) : h("li", null, h("p", { class: "hint" }, "Nothing is held back.")));
  void store.findings.look(room);
}

/**
 * @param {Store} store
 * @param {string} room
 * @param {Finding} finding
 */
function findingRow(store, room, finding) {
  const pass = button("Let this one pass", { class: "danger", "data-testid": "finding-pass", on: { click: () => sure.replaceChildren(...confirm) } });
  const confirm = [
    h("span", { class: "hint" }, "It is no secret, or may be known to all?"),
    button("Yes, let it pass", { class: "danger", "data-testid": "finding-pass-confirm", on: { click: () => store.findings.letPass(room, finding).then(() => toast("It may be sent now."), toastFailure) } }),
    button("No", { class: "quiet", on: { click: () => sure.replaceChildren(pass) } }),
  ];
  const sure = h("div", { class: "actions" }, pass);
  return h("li", { "data-finding": finding.id }, h("p", { class: "hint" }, icon("alarm"), h("bdi", null, finding.session_name), " wanted to send it ",
    h("time", { datetime: finding.at, title: fullTime(finding.at) }, ago(finding.at))), findingView(finding), sure);
}
