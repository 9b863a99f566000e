/** Writing a charter, or a change of the one there is. */

import { asRefused } from "./api.js";
import { openDialog } from "./dialog.js";
import { button, field, fill, h } from "./dom.js";
import { icon } from "./icons.js";

/** @import { CharterText } from "./types.js" */
/** @import { Store } from "./store.js" */

/** What agents may do where no charter says more. */
const USUAL = { hops: 3, minutes: 20 };

/**
 * @param {Store} store
 * @param {string} room
 * @param {CharterText | null} now what is to be changed
 * @param {() => void} done
 */
export function openCharterEditor(store, room, now, done) {
  const { dialog, show } = openDialog({ title: now ? "Propose a change" : "Propose a charter", testid: "charter-editor", className: "charter", isSticky: true });
  const fields = fieldsFor(now);
  const note = h("p", { class: "human-note", hidden: true, "data-testid": "editor-needs-human" }, icon("shield"),
    "This lets agents do more than they may without it: only humans can accept it.");
  const problem = h("p", { class: "refusal", role: "alert", "data-testid": "editor-refusal" });
  const look = () => { note.hidden = !widens(fields.read()); };
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    fill(problem);
    try {
      await store.api.ask("propose_charter", { room, charter: fields.read() });
      store.refresh();
      dialog.close();
      done();
    } catch (error) {
      const { failure } = asRefused(error);
      fill(problem, h("b", null, failure.message), " ", failure.next);
    }
  };
  show(h("form", { on: { submit, input: look } }, ...fields.rows, note, problem,
    h("div", { class: "actions" }, h("button", { class: "primary", "data-testid": "charter-propose" }, "Propose"),
      button("Cancel", { class: "quiet", on: { click: () => dialog.close() } }),
      h("span", { class: "hint" }, now ? "It takes the place of the one there is as soon as all have accepted it." : "It counts as soon as all have accepted it."))));
  look();
  fields.first.focus();
}

/** @param {CharterText | null} now */
function fieldsFor(now) {
  const line = (/** @type {"title"} */ name) => h("input", { required: true, maxlength: "200", autocomplete: "off", "data-testid": `charter-${name}`, value: now?.[name] ?? false });
  const list = (/** @type {"scope" | "out_of_scope" | "must_nots" | "response_contract"} */ name) => {
    const area = h("textarea", { rows: "3", "data-testid": `charter-${name}` });
    area.value = (now?.[name] ?? []).join("\n");
    return area;
  };
  const title = line("title");
  const purpose = h("textarea", { rows: "2", required: true, maxlength: "4000", "data-testid": "charter-purpose" });
  purpose.value = now?.purpose ?? "";
  const [scope, outOfScope, mustNots, contract] = [list("scope"), list("out_of_scope"), list("must_nots"), list("response_contract")];
  const approve = h("select", { "data-testid": "charter-auto_approve" },
    h("option", { value: "none" }, "none"), h("option", { value: "low" }, "those of low risk"), h("option", { value: "all" }, "all but those of high risk"));
  approve.value = now?.auto_approve ?? "none";
  const hops = h("input", { type: "number", min: "1", max: "100", required: true, value: now?.max_hops ?? USUAL.hops, "data-testid": "charter-max_hops" });
  const minutes = h("input", { type: "number", min: "1", max: "1440", required: true, value: now?.live_minutes ?? USUAL.minutes, "data-testid": "charter-live_minutes" });
  return {
    first: title,
    rows: [
      field("Title", title), field("Purpose", purpose, "What is to be reached."),
      h("div", { class: "two" }, field("Belongs to it", scope, "One per line."), field("Does not belong to it", outOfScope, "One per line."),
        field("Nobody may", mustNots, "One per line."), field("How the sides answer", contract, "One per line.")),
      h("div", { class: "three" }, field("Requests that need no human", approve), field("Messages of agents in a row", hops), field("Minutes of live mode", minutes)),
    ],
    /** @returns {CharterText} */
    read: () => ({
      title: title.value.trim(), purpose: purpose.value.trim(), scope: linesOf(scope), out_of_scope: linesOf(outOfScope), must_nots: linesOf(mustNots),
      response_contract: linesOf(contract), auto_approve: /** @type {"none" | "low" | "all"} */ (approve.value), max_hops: Number(hops.value), live_minutes: Number(minutes.value),
    }),
  };
}

/** @param {HTMLTextAreaElement} area */
function linesOf(area) {
  return area.value.split("\n").map((line) => line.trim()).filter(Boolean);
}

/** @param {CharterText} charter */
function widens({ auto_approve: approve, max_hops: hops, live_minutes: minutes }) {
  return approve !== "none" || (hops ?? 0) > USUAL.hops || (minutes ?? 0) > USUAL.minutes;
}
