/** What stands between a room and agents that work: words to compare, a charter to agree on, a request to decide. */

import { whatItDoes } from "./action-words.js";

/** @import { ActionRequest, Member, Room } from "./types.js" */

const TALK = "Until then agents can only chat, ask, answer and say how it goes.";

/**
 * @typedef {object} Step
 * @property {string} id the same as long as it is the same step
 * @property {"verify" | "charter" | "request"} goes where its button leads
 * @property {string} text
 * @property {string} action
 * @property {Member} [member]
 */

/**
 * @param {Room} room
 * @param {ActionRequest[]} pending
 * @returns {Step | null}
 */
export function nextStep(room, pending) {
  if (room.state !== "member" || room.members.length < 2) return null;
  return deciding(pending) ?? verifying(room) ?? agreeing(room);
}

/**
 * @param {ActionRequest[]} pending
 * @returns {Step | null}
 */
function deciding(pending) {
  const [first] = pending;
  if (!first) return null;
  const text = pending.length === 1 ? `${first.from} asks you to ${whatItDoes(first)}: ${first.summary}` : `${pending.length} requests wait for your yes or no.`;
  return { id: `request ${pending.map(({ id }) => id).join(" ")}`, goes: "request", text, action: "Look at it" };
}

/**
 * @param {Room} room
 * @returns {Step | null}
 */
function verifying(room) {
  const member = room.members.find((other) => !other.me && !other.verified);
  if (!member || !room.charter) return null;
  return { id: `verify ${member.member}`, goes: "verify", text: `You and ${member.name} have not compared words yet. ${TALK}`, action: "Compare words", member };
}

/**
 * @param {Room} room
 * @returns {Step | null}
 */
function agreeing({ charter }) {
  if (charter?.state === "none") return { id: "charter none", goes: "charter", text: `There is no charter yet: nobody has said what this is about. ${TALK}`, action: "Propose one" };
  if (charter?.state !== "proposed") return null;
  return { id: `charter ${charter.hash}`, goes: "charter", text: `A charter is proposed: “${charter.title ?? ""}”. It counts as soon as all have accepted it. ${TALK}`, action: "Read it" };
}
