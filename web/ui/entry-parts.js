/** What stands around the body of a message: its fields, what it answers, how far it has got. */

import { button, h } from "./dom.js";

/** @import { DeliveryState, Entry, Room } from "./types.js" */
/** @import { RowContext } from "./entry.js" */

/** @type {Record<DeliveryState, string>} */
const MEANING = {
  queued: "waits on this machine",
  sent: "on its way",
  stored: "stored at a mailbox",
  delivered: "safe on the other machine",
  shown: "an agent or a human was given it",
};

/** Fields of what was remembered that stand elsewhere in its row. */
const ELSEWHERE = ["remembered_as", "supersedes"];

/** The form of an answer that goes without saying. */
const ANY_FORM = "free text";

/** @param {Entry} entry */
export function fieldsOf(entry) {
  /** @type {[string, string | string[]][]} */
  const rows = [];
  if (entry.rationale) rows.push(["why", entry.rationale]);
  if (entry.provenance?.length) rows.push(["from", entry.provenance]);
  const isRemembered = entry.kind === "remembered";
  for (const [name, value] of Object.entries(entry.fields ?? {})) {
    if (value === ANY_FORM || (isRemembered && ELSEWHERE.includes(name))) continue;
    rows.push([name.replaceAll("_", " "), isRemembered && Array.isArray(value) ? value.map((tag) => `#${tag}`).join("  ") : value]);
  }
  if (!rows.length) return null;
  return h("dl", { class: "fields" }, rows.flatMap(([name, value]) => [h("dt", null, name), h("dd", null, valueOf(value))]));
}

/**
 * @param {string} id
 * @param {RowContext} context
 */
export function answersLine(id, context) {
  return linkedLine(id, context, { words: "In answer to", testid: "answers", link: "goto-question" });
}

/**
 * @param {string} id of the entry in whose place this one stands
 * @param {RowContext} context
 */
export function supersedesLine(id, context) {
  return linkedLine(id, context, { words: "In the place of", testid: "supersedes", link: "goto-superseded" });
}

/**
 * @param {string} id
 * @param {RowContext} context
 * @param {{words: string, testid: string, link: string}} look
 */
function linkedLine(id, context, { words, testid, link }) {
  const quote = h("q", { class: "quote" });
  void context.lookUp(id).then((question) => {
    if (question) quote.textContent = firstWords(question.headline || question.text);
  });
  return h("p", { class: "linked", "data-testid": testid },
    button(words, { class: "link", "data-testid": link, on: { click: () => context.goTo(id) } }), " ", quote);
}

/**
 * @param {Entry} entry
 * @param {Room | undefined} room
 */
export function deliveryLine(entry, room) {
  if (!entry.me || !entry.delivery) return null;
  const states = Object.entries(entry.delivery);
  return h("ul", { class: "delivery", "data-testid": "delivery", "aria-label": "Delivery" },
    states.map(([member, state]) => {
      const name = room?.members.find((known) => known.member === member)?.name ?? `${member.slice(0, 8)}…`;
      return h("li", { "data-testid": "delivery-state", "data-member": member, "data-state": state, title: MEANING[state] ?? state }, h("bdi", null, name), " ", h("i", null, state));
    }));
}

/**
 * The beginning of a text in one line, without the signs that Markdown is written with.
 * @param {string} text
 */
export function firstWords(text, limit = 90) {
  const line = text.replace(/`+|\*\*/g, "").replace(/\s+/g, " ").trim();
  return line.length > limit ? `${line.slice(0, limit).replace(/\s\S*$/, "")}…` : line;
}

/** @param {string | string[]} value */
function valueOf(value) {
  if (!Array.isArray(value)) return value;
  return value.length ? h("ul", null, value.map((item) => h("li", null, item))) : "none";
}
