/** One event as a row of the transcript. */

import { button, h, uid } from "./dom.js";
import { answersLine, deliveryLine, fieldsOf, supersedesLine } from "./entry-parts.js";
import { codeCard } from "./entry-code.js";
import { requestCard } from "./entry-request.js";
import { bodyOf } from "./html.js";
import { icon } from "./icons.js";
import { isMessage, kindName } from "./kinds.js";
import { clockTime, fullTime } from "./time.js";

/** @import { Entry, Room } from "./types.js" */

/** Of what happened, that which somebody waits for. @type {Partial<Record<Entry["kind"], string>>} */
const LOOKS = { denied: "is-denied", approved: "is-approved", completed: "is-completed", charter_accepted: "is-approved", charter_declined: "is-denied", overridden: "is-denied" };

const FOLD_LETTERS = 2_400;
const FOLD_LINES = 36;

/**
 * What a row needs from its surroundings.
 * @typedef {object} RowContext
 * @property {Room | undefined} room
 * @property {(id: string) => Promise<Entry | null>} lookUp
 * @property {(id: string) => void} goTo
 * @property {(entry: Entry) => void} inspect
 * @property {(entry: Entry) => void} answer
 * @property {import("./requests.js").Requests} requests
 * @property {(id: string) => void} openRequest
 * @property {import("./quarantine.js").Shared} shared
 * @property {(id: string) => void} openArtifact
 * @property {(entry: Entry) => void} showInPlace
 * @property {boolean} isFiltered
 * @property {Set<string>} unfolded
 */

/**
 * @param {Entry} entry
 * @param {RowContext} context
 */
export function entryRow(entry, context) {
  const label = uid("by");
  const article = h("article", {
    class: "entry", tabindex: "-1", "data-testid": "entry", "data-event": entry.event, "data-kind": entry.kind,
    "data-member": entry.member, "data-origin": entry.origin, "aria-labelledby": label,
    // How many there are changes with each page; -1 says that nobody counted.
    "aria-setsize": "-1",
  });
  article.classList.toggle("is-mine", entry.me);
  article.classList.toggle("is-void", Boolean(entry.void));
  article.classList.toggle("is-forked", Boolean(entry.forked));
  if (entry.kind === "action") article.append(byline(entry, label), requestCard(entry, context, rowTools(entry, context)));
  else if (entry.kind === "code") article.append(byline(entry, label), codeCard(entry, context, rowTools(entry, context)));
  else if (isMessage(entry.kind) || entry.kind === "remembered") article.append(byline(entry, label), messageBody(entry, context));
  else article.append(roomLine(entry, label), rowTools(entry, context));
  return article;
}

/**
 * @param {Entry} entry
 * @param {string} label
 */
function byline(entry, label) {
  return h("header", { class: "byline", id: label },
    h("span", { class: "face", "aria-hidden": "true", vars: { "--session": entry.color } }, entry.emoji || entry.name.slice(0, 1)),
    h("span", { class: "who" }, h("b", { class: "name", "data-testid": "entry-name" }, entry.name, !entry.me && !entry.verified && unverifiedMark()),
      h("span", { class: "session", "data-testid": "entry-session" }, entry.session_name)),
    h("span", { class: "meta" }, h("span", { class: "origin", "data-testid": "entry-origin" }, entry.origin), " ", timeOf(entry)));
}

/** @param {Entry} entry */
function timeOf(entry) {
  return h("time", { datetime: entry.at, title: fullTime(entry.at), "data-testid": "entry-time" }, clockTime(entry.at));
}

/**
 * @param {Entry} entry
 * @param {string} label
 */
function roomLine(entry, label) {
  return h("p", { class: `room-line ${LOOKS[entry.kind] ?? ""}` },
    h("bdi", { id: label }, entry.text || kindName(entry.kind)), " ", timeOf(entry),
    entry.forked && forkedMark(), entry.void && voidMark(entry.void));
}

/**
 * @param {Entry} entry
 * @param {RowContext} context
 */
function messageBody(entry, context) {
  const supersedes = entry.kind === "remembered" && entry.fields?.supersedes;
  const claim = entry.claim ?? (entry.kind === "remembered" && entry.fields?.remembered_as);
  return h("div", { class: "said" },
    h("p", { class: "labels" },
      h("span", { class: "kind", "data-testid": "entry-kind" }, kindName(entry.kind)),
      claim && h("span", { class: "claim" }, claim),
      entry.to && h("span", { class: "to", "data-testid": "entry-to" }, "to ", h("bdi", null, addressee(entry.to, context.room))),
      entry.forked && forkedMark(),
      entry.void && voidMark(entry.void),
      h("span", { class: "unread-mark", "data-testid": "unread-mark" }, "new")),
    entry.answers && answersLine(entry.answers, context),
    typeof supersedes === "string" && supersedesLine(supersedes, context),
    entry.headline && h("h3", { class: "headline" }, entry.headline),
    foldable(entry, context),
    fieldsOf(entry),
    entry.answered_by?.length ? answeredLine(entry.answered_by, context) : null,
    deliveryLine(entry, context.room),
    rowTools(entry, context));
}

/**
 * @param {Entry} entry
 * @param {RowContext} context
 */
function foldable(entry, context) {
  const body = entry.html === undefined ? h("div", { class: "prose plain" }, entry.text) : bodyOf(entry.html);
  body.dataset.testid = "entry-body";
  const isLong = entry.text.length > FOLD_LETTERS || entry.text.split("\n", FOLD_LINES + 1).length > FOLD_LINES;
  if (!isLong || context.unfolded.has(entry.event)) return body;
  const size = entry.text.length.toLocaleString("en");
  body.classList.add("is-folded");
  // Out of sight is out of the tab order too.
  body.inert = true;
  const open = button(`Show all, ${size} letters`, {
    class: "unfold", "data-testid": "show-all",
    on: { click: () => {
      context.unfolded.add(entry.event);
      body.classList.remove("is-folded");
      body.inert = false;
      open.remove();
    } },
  }, icon("down"));
  return h("div", null, body, open);
}

/**
 * @param {string[]} answers
 * @param {RowContext} context
 */
function answeredLine(answers, context) {
  const name = (/** @type {number} */ at) => (answers.length > 1 ? `See answer ${at + 1}` : "See the answer");
  return h("p", { class: "linked", "data-testid": "answered-by" }, "Answered. ",
    answers.flatMap((id, at) => [button(name(at), { class: "link", "data-testid": "goto-answer", on: { click: () => context.goTo(id) } }), " "]));
}

/**
 * @param {Entry} entry
 * @param {RowContext} context
 */
function rowTools(entry, context) {
  const canAnswer = entry.kind === "question" && context.room?.state === "member";
  return h("div", { class: "tools" },
    canAnswer && button("Answer", { class: entry.answered_by?.length || entry.me ? "quiet" : "", "data-testid": "answer", on: { click: () => context.answer(entry) } }, icon("reply")),
    context.isFiltered && button("Show in place", { class: "quiet", "data-testid": "show-in-place", on: { click: () => context.showInPlace(entry) } }),
    button("Details", { class: "quiet details", "data-testid": "inspect", on: { click: () => context.inspect(entry) } }));
}

function unverifiedMark() {
  return h("span", { class: "unverified", title: "not verified", "data-testid": "entry-unverified" }, icon("shield"), h("span", { class: "visually-hidden" }, " not verified"));
}

function forkedMark() {
  return h("span", { class: "mark alarm", "data-testid": "forked-mark" }, icon("alarm"), "signed twice");
}

/** @param {string} reason */
function voidMark(reason) {
  return h("span", { class: "mark", "data-testid": "void-mark" }, "no effect: ", h("bdi", null, reason));
}

/**
 * @param {string} to a name or an id
 * @param {Room | undefined} room
 */
function addressee(to, room) {
  for (const member of room?.members ?? []) {
    if (member.member === to) return member.name;
    const session = member.sessions.find(({ session }) => session === to);
    if (session) return `${member.name}’s ${session.name}`;
  }
  return to.length > 40 ? `${to.slice(0, 10)}…` : to;
}
