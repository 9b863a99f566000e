/** What is being written, kept per room in the browser, so that neither a reload nor a crash loses it or says it twice. */

/** @import { Draft } from "./types.js" */

const PREFIX = "pairwave.draft.";

/**
 * Words that were not handed over yet get a key of their own in each tab that loads them: tabs may go on differently.
 * @param {string} room
 * @returns {Draft}
 */
export function loadDraft(room) {
  try {
    const kept = localStorage.getItem(PREFIX + room);
    /** @type {Draft | null} */
    const draft = kept ? { ...newDraft(), ...JSON.parse(kept) } : null;
    if (draft) return draft.tried || draft.sending ? draft : { ...draft, key: newKey() };
  } catch {
    // A damaged draft is no reason not to show the room.
  }
  return newDraft();
}

/**
 * @param {string} room
 * @param {Draft} draft
 */
export function keepDraft(room, draft) {
  try {
    localStorage.setItem(PREFIX + room, JSON.stringify(draft));
  } catch {
    // Full or forbidden: the draft lives as long as the page.
  }
}

/** The rooms in which something was written. */
export function roomsWithDrafts() {
  return Object.keys(localStorage).flatMap((name) => (name.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : []));
}

/** @param {string} room */
export function dropDraft(room) {
  localStorage.removeItem(PREFIX + room);
}

/** @returns {Draft} */
export function newDraft() {
  return { kind: "chat", to: "", text: "", answers: "", more: {}, key: newKey(), tried: false, sending: false };
}

/** One key is one thing said: the companion says it once, however often it is asked to. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
