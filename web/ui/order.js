/** The order of a room, the same on every machine: by depth, then by id. No clock takes part. */

/** @import { Entry } from "./types.js" */

/**
 * @param {Pick<Entry, "depth" | "event">} a
 * @param {Pick<Entry, "depth" | "event">} b
 */
export function compare(a, b) {
  return a.depth - b.depth || compareIds(a.event, b.event);
}

/**
 * Ids are ordered by their bytes, which is not the order of their text: in base32 the digits 2 to 7 stand for higher
 * values than the letters, while as characters they come before them.
 * @param {string} a
 * @param {string} b
 */
function compareIds(a, b) {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    if (a[at] !== b[at]) return value(a, at) - value(b, at);
  }
  return a.length - b.length;
}

/**
 * @param {string} id
 * @param {number} at
 */
function value(id, at) {
  const code = id.charCodeAt(at);
  return code < LETTER_A ? code + LETTER_A : code;
}

const LETTER_A = "a".charCodeAt(0);
