/** The kinds of messages, and what each needs besides its text. */

/** @import { Kind } from "./types.js" */

/**
 * @typedef {object} Need
 * @property {string} name
 * @property {string} label
 * @property {string} [hint]
 * @property {"line" | "text" | "list" | "choice"} as
 * @property {string[]} [choices]
 * @property {boolean} [optional]
 * @property {boolean} [isField] goes into `fields`, not beside the text
 */

/** @type {Kind[]} */
export const MESSAGE_KINDS = ["chat", "question", "answer", "context", "decision", "finding", "status", "review", "handoff", "summary"];

/** @type {Kind[]} */
export const ROOM_KINDS = ["genesis", "invited", "invite_closed", "admitted", "removed", "left", "rotated", "verified", "named",
  "relay_added", "relay_removed", "letter_keys", "charter_proposed", "charter_accepted", "charter_declined",
  "floor_claimed", "floor_yielded", "floor_taken", "floor_released", "action", "approved", "denied", "handed", "completed", "expired",
  "overridden", "prompted", "code", "remembered", "git_setup", "committed", "paths_claimed", "paths_released", "claims_expired", "foreign"];

/** Make a request, or move it on. @type {Kind[]} */
const REQUEST_KINDS = ["action", "approved", "denied", "handed", "completed", "expired"];

/** @type {Partial<Record<Kind, Need[]>>} */
const NEEDS = {
  question: [{ name: "expected_format", label: "Expected form of the answer", hint: "Free text if left empty.", as: "line", optional: true, isField: true }],
  decision: [{ name: "rationale", label: "Why", as: "text" }],
  context: [
    { name: "headline", label: "Headline", as: "line" },
    { name: "claim", label: "This is", as: "choice", choices: ["fact", "inference", "assumption"] },
    { name: "provenance", label: "Where it comes from", hint: "One source per line.", as: "list" },
  ],
  finding: [{ name: "headline", label: "Headline", as: "line" }],
  review: [
    { name: "path", label: "File or folder", as: "line", isField: true },
    { name: "description", label: "What to look at", as: "text", isField: true },
  ],
  handoff: [
    { name: "work_completed", label: "Done", as: "text", isField: true },
    { name: "remaining_work", label: "Remaining", as: "text", isField: true },
    { name: "files_modified", label: "Files changed", hint: "One per line.", as: "list", isField: true },
    { name: "decisions_made", label: "Decisions", hint: "One per line.", as: "list", isField: true },
  ],
  summary: [
    { name: "headlines", label: "What came of it", hint: "One per line.", as: "list", isField: true },
    { name: "decisions", label: "Decisions", hint: "One per line, if there are any.", as: "list", isField: true, optional: true },
    { name: "open_questions", label: "Open questions", hint: "One per line, if there are any.", as: "list", isField: true, optional: true },
  ],
};

/**
 * @param {Kind} kind
 * @returns {Need[]}
 */
export function needsOf(kind) {
  return NEEDS[kind] ?? [];
}

/** @param {Kind} kind */
export function isMessage(kind) {
  return MESSAGE_KINDS.includes(kind);
}

/** @param {Kind} kind */
export function isAboutRequest(kind) {
  return REQUEST_KINDS.includes(kind);
}

/** @param {string} kind */
export function kindName(kind) {
  return kind.replaceAll("_", " ");
}

/**
 * The needs of a kind, from what was typed, as `send` takes them.
 * @param {Kind} kind
 * @param {Record<string, string>} typed
 */
export function extrasOf(kind, typed) {
  /** @type {Record<string, unknown>} */
  const extras = {};
  /** @type {Record<string, unknown>} */
  const fields = {};
  for (const need of needsOf(kind)) {
    const text = (typed[need.name] ?? (need.choices ? need.choices[0] : "")).trim();
    if (!text && need.optional && need.as !== "list") continue;
    const value = need.as === "list" ? text.split("\n").map((line) => line.trim()).filter(Boolean) : text;
    (need.isField ? fields : extras)[need.name] = value;
  }
  return Object.keys(fields).length ? { ...extras, fields } : extras;
}
