/** What one does to a room besides writing in it: names, removing, leaving, looking why a connection fails. */

import { asRefused } from "./api.js";
import { confirmDialog, openDialog } from "./dialog.js";
import { button, field, h } from "./dom.js";
import { icon } from "./icons.js";
import { toast, toastFailure } from "./toast.js";

/** @import { Check, Member, Session } from "./types.js" */
/** @import { Store } from "./store.js" */

/**
 * @param {Store} store
 * @param {string} room
 * @param {{title: string, now: string, session?: string}} what
 */
export function openRename(store, room, { title, now, session }) {
  const { dialog, show } = openDialog({ title, testid: "rename-dialog" });
  const name = h("input", { value: now, required: true, maxlength: "64", autocomplete: "off", "data-testid": "rename-name" });
  const problem = h("p", { class: "refusal", role: "alert" });
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    try {
      await store.api.ask("rename", { room, name: name.value.trim(), session });
      dialog.close();
      store.refresh();
    } catch (error) {
      const { failure } = asRefused(error);
      problem.textContent = `${failure.message} ${failure.next}`;
    }
  };
  show(h("form", { on: { submit } }, field("Name", name, "Everybody in the room sees it."), problem,
    h("div", { class: "actions" }, h("button", { class: "primary", "data-testid": "rename-save" }, "Rename"))));
  name.select();
}

/**
 * @param {Store} store
 * @param {string} room
 * @param {Session} session
 */
export function openRenameSession(store, room, session) {
  openRename(store, room, { title: `Rename ${session.name}`, now: session.name, session: session.session });
}

/**
 * @param {Store} store
 * @param {string} room
 * @param {Member} member
 */
export function openRemove(store, room, member) {
  const { dialog, show } = openDialog({ title: `Remove ${member.name}?`, testid: "remove-dialog" });
  const reason = h("input", { maxlength: "500", autocomplete: "off", "data-testid": "remove-reason" });
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    dialog.close();
    await store.api.ask("remove", { room, member: member.member, reason: reason.value.trim() || undefined })
      .then(() => toast(`${member.name} was removed.`), toastFailure);
    store.refresh();
  };
  show(h("p", null, `${member.name} can’t read what is said from now on. What was said before stays with them. Whom ${member.name} let in goes too, and open invites close.`),
    h("form", { on: { submit } }, field("Reason, for the others (optional)", reason),
      h("div", { class: "actions" }, button("Cancel", { on: { click: () => dialog.close() } }), h("button", { class: "danger", "data-testid": "confirm" }, "Remove"))));
}

/**
 * @param {Store} store
 * @param {string} room
 * @param {string} title
 */
export function confirmLeave(store, room, title) {
  confirmDialog({ title: `Leave ${title}?`, text: "You keep what was said so far and get nothing more. To come back you need a new invite.", action: "Leave the room", testid: "leave-dialog" },
    () => void store.api.ask("leave", { room }).then(() => store.refresh(), toastFailure));
}

/**
 * @param {Store} store
 * @param {string} room
 * @param {Member | null} member
 */
export async function openDiagnose(store, room, member) {
  const { show, signal } = openDialog({ title: member ? `The connection to ${member.name}` : "Diagnosis", testid: "diagnose-dialog" });
  show(h("p", { role: "status" }, "Looking, layer by layer …"));
  try {
    const { checks } = await store.api.ask("diagnose", { room, member: member?.member });
    if (!signal.aborted) show(h("ul", { class: "checks" }, checks.map(checkRow)));
  } catch (error) {
    const { failure } = asRefused(error);
    if (!signal.aborted) show(h("p", { class: "refusal", role: "alert" }, h("b", null, failure.message), " ", failure.next));
  }
}

/** @param {Check} check */
function checkRow(check) {
  return h("li", { class: check.ok ? "" : "is-bad", "data-testid": "check", "data-ok": String(check.ok) }, icon(check.ok ? "check" : "alarm"),
    h("div", null, h("b", null, check.name), h("span", { class: "visually-hidden" }, check.ok ? " is well: " : " fails: "), h("p", null, check.detail), !check.ok && check.next && h("p", { class: "next" }, check.next)));
}
