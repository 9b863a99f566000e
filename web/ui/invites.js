/** Invites of a room: making one, showing it, and taking it back. */

import { asRefused } from "./api.js";
import { openDialog } from "./dialog.js";
import { button, copy, field, fill, h, svg } from "./dom.js";
import { icon } from "./icons.js";
import { ago, fullTime } from "./time.js";
import { toast, toastFailure } from "./toast.js";

/** @import { Invite, MadeInvite } from "./types.js" */
/** @import { Store } from "./store.js" */

/** @type {[string, number][]} */
const SPANS = [["1 hour", 3_600], ["24 hours", 86_400], ["7 days", 604_800], ["30 days", 2_592_000]];
const STATES = { open: "open", expired: "expired", used_up: "used up", revoked: "revoked" };

/**
 * @param {Store} store
 * @param {string} room
 */
export function openInvites(store, room) {
  const { show } = openDialog({ title: "Invite somebody", testid: "invites-dialog", className: "invites" });
  const made = h("div", { class: "made", "data-testid": "invite-made" });
  const list = h("div", { class: "invite-list", "data-testid": "invite-list" });
  const refresh = () => listInvites(store, room, list, refresh);
  show(inviteForm(store, room, (invite) => {
    fill(made, ...madeInvite(invite));
    refresh();
  }), made, answerForm(store), list);
  refresh();
}

/**
 * @param {Store} store
 * @param {string} room
 * @param {(invite: MadeInvite) => void} done
 */
function inviteForm(store, room, done) {
  const span = h("select", { "data-testid": "invite-expiry" }, SPANS.map(([name, seconds]) => h("option", { value: seconds, selected: seconds === 86_400 }, name)));
  const uses = h("input", { type: "number", min: "1", max: "31", value: "1", "data-testid": "invite-uses" });
  const make = h("button", { class: "primary", "data-testid": "invite-make" }, "Make an invite");
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    make.disabled = true;
    try {
      done(await store.api.ask("invite", { room, expires_s: Number(span.value), uses: Number(uses.value) }));
    } catch (error) {
      toastFailure(error);
    }
    make.disabled = false;
  };
  return h("form", { class: "invite-form", on: { submit } },
    h("p", null, "An invite is one line of text. Send it by any messenger; whoever has it can ask to join. Afterwards compare words, and you know who did."),
    h("div", { class: "inline-fields" }, field("Good for", span), field("People", uses), make));
}

/**
 * For a joiner whose own companion cannot reach this one.
 * @param {Store} store
 */
function answerForm(store) {
  const line = h("input", { required: true, autocomplete: "off", spellcheck: "false", placeholder: "pairanswer1…", "data-testid": "answer-line" });
  const dial = h("button", { "data-testid": "answer-dial" }, "Dial them");
  const said = h("p", { class: "hint", role: "status", "data-testid": "answer-said" });
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    dial.disabled = true;
    said.textContent = "Dialling …";
    try {
      const { name } = await store.api.ask("answer", { line: line.value.trim(), wait_s: 25 });
      said.textContent = name ? `${name} is in.` : "Not in yet. Your companion goes on dialling for a quarter of an hour.";
      store.refresh();
    } catch (error) {
      const { failure } = asRefused(error);
      said.textContent = `${failure.message} ${failure.next}`;
    }
    dial.disabled = false;
  };
  return h("details", null, h("summary", null, "They sent a line back"), h("form", { class: "invite-form", on: { submit } },
    h("div", { class: "inline-fields" }, field("The line", line, "Who cannot reach you gets it from pairwave join."), dial), said));
}

/** @param {MadeInvite} made */
function madeInvite(made) {
  const text = h("textarea", { readonly: true, rows: "4", "aria-label": "Invite", "data-testid": "invite-text", spellcheck: "false" });
  text.value = made.invite;
  const { size, path } = made.qr;
  const code = svg("svg", { viewBox: `0 0 ${size} ${size}`, class: "qr", role: "img", "aria-label": "QR code of the invite", "data-testid": "invite-qr", "shape-rendering": "crispEdges" },
    svg("rect", { width: size, height: size, fill: "#fff" }), svg("path", { d: path, fill: "#000" }));
  return [
    h("div", { class: "made-text" }, text,
      h("div", { class: "actions" }, copyButton("Copy invite", made.invite, "invite-copy"), copyButton("Copy command", made.join_command, "invite-copy-command")),
      h("p", { class: "hint" }, `They run `, h("code", { class: "one-line" }, "pairwave join"), ` with it. Expires ${ago(made.expires_at)}.`)),
    code,
  ];
}

/**
 * @param {string} label
 * @param {string} text
 * @param {string} testid
 */
function copyButton(label, text, testid) {
  const words = button(label, { "data-testid": testid, on: { click: async () => {
    toast(await copy(text) ? "Copied." : "The browser did not allow copying. Select the text instead.");
  } } }, icon("copy"));
  return words;
}

/**
 * @param {Store} store
 * @param {string} room
 * @param {HTMLElement} list
 * @param {() => void} refresh
 */
async function listInvites(store, room, list, refresh) {
  try {
    const { invites } = await store.api.ask("invites", { room });
    const names = new Map(store.room(room)?.members.map((member) => [member.member, member.name]));
    fill(list, h("h3", null, "Invites of this room"), invites.length === 0 && h("p", { class: "hint" }, "None yet."),
      h("ul", null, invites.map((/** @type {Invite} */ invite) => inviteRow(store, room, invite, names.get(invite.by) ?? invite.by, refresh))));
  } catch (error) {
    toastFailure(error);
  }
}

/**
 * @param {Store} store
 * @param {string} room
 * @param {Invite} invite
 * @param {string} by
 * @param {() => void} refresh
 */
function inviteRow(store, room, invite, by, refresh) {
  const revoke = async () => {
    await store.api.ask("close_invite", { room, id: invite.id }).then(() => toast("Revoked. Nobody can join with it any more."), toastFailure);
    refresh();
  };
  return h("li", { "data-testid": "invite", "data-state": invite.state },
    h("span", { class: "invite-state" }, STATES[invite.state] ?? invite.state),
    h("span", null, `by ${by}, ${invite.used} of ${invite.uses} used`, h("br"),
      h("time", { datetime: invite.expires_at, title: fullTime(invite.expires_at), class: "hint" }, `${Date.parse(invite.expires_at) < Date.now() ? "expired" : "expires"} ${ago(invite.expires_at)}`)),
    invite.state === "open" && button("Revoke", { class: "quiet", "data-testid": "invite-revoke", on: { click: revoke } }));
}
