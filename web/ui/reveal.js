/** Makes the signs visible that are not seen, or that turn others around: what somebody approves must read as it is. */

import { h } from "./dom.js";

/** Everything without ink of its own, and spaces that are none of the usual ones; but for line breaks, tabs and the space. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u{34f}\u{115f}\u{1160}\u{17b4}\u{17b5}\u{180b}-\u{180f}\u{2800}\u{3164}\u{ffa0}\u{fe00}-\u{fe0f}\u{e0100}-\u{e01ef}]|(?! )\p{Zs}/u;
const CUT = new RegExp(`(${UNSEEN.source.replace("[", "(?![\\n\\t])[")})`, "u");
/** Letters that may pass for Latin ones. */
const FOREIGN = /((?:(?![A-Za-zªºÀ-ÖØ-öø-ɏ])[\p{L}\p{M}])+)/u;

/** @type {Record<string, string>} */
const NAMES = {
  "\u200b": "zero width space", "\u200c": "zero width non-joiner", "\u200d": "zero width joiner", "\u200e": "left-to-right mark",
  "\u200f": "right-to-left mark", "\u202a": "left-to-right embedding", "\u202b": "right-to-left embedding", "\u202c": "end of direction",
  "\u202d": "left-to-right override", "\u202e": "right-to-left override", "\u2066": "left-to-right isolate", "\u2067": "right-to-left isolate",
  "\u2068": "first strong isolate", "\u2069": "end of isolate", "\u061c": "Arabic letter mark", "\u00a0": "no-break space", "\ufeff": "byte order mark",
  "\u2060": "word joiner", "\u00ad": "soft hyphen", "\r": "carriage return", "\u001b": "escape", "\0": "null",
};

/**
 * The text as nodes, each unseen sign as a mark with its number.
 * @param {string} text
 * @param {{letters?: boolean}} [how] `letters`: marks letters that are not Latin as well, for commands, paths and addresses
 * @returns {(string | HTMLElement)[]}
 */
export function revealed(text, { letters = false } = {}) {
  return text.split(CUT).flatMap((/** @returns {(string | HTMLElement)[]} */ (part, at) => {
    if (!part) return [];
    if (at % 2) return [mark(part)];
    return letters ? foreign(part) : [part];
  }));
}

/**
 * How many signs of it would not be seen.
 * @param {string} text
 */
export function countUnseen(text) {
  return [...text.matchAll(new RegExp(CUT.source, "gu"))].length;
}

/**
 * How many letters of it are not Latin.
 * @param {string} text
 */
export function countForeign(text) {
  return [...text.matchAll(new RegExp(FOREIGN.source, "gu"))].reduce((sum, [letters]) => sum + [...letters].length, 0);
}

/** @param {string} sign */
function mark(sign) {
  const code = `U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
  return h("span", { class: "unseen", title: NAMES[sign] ?? "a sign that is not seen", "data-testid": "unseen" }, code);
}

/**
 * @param {string} text
 * @returns {(string | HTMLElement)[]}
 */
function foreign(text) {
  return text.split(FOREIGN).map((part, at) => (at % 2 ? h("span", { class: "foreign", title: "not Latin letters" }, part) : part));
}
