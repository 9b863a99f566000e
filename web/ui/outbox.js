/** Sends what is to be said, once, in whichever room and whether or not that room is on the screen. */

import { asRefused } from "./api.js";
import { dropDraft, keepDraft, loadDraft, newKey, roomsWithDrafts } from "./drafts.js";
import { Emitter } from "./emitter.js";
import { extrasOf } from "./kinds.js";
import { toast } from "./toast.js";

/** @import { Draft, Failure } from "./types.js" */
/** @import { Store } from "./store.js" */

const RETRY = 1_000;

/**
 * @typedef {object} Waiting
 * @property {Draft} draft
 * @property {boolean} isFirst nobody can have said it yet under its key
 * @property {boolean} isSending
 * @property {number} failures
 */

/**
 * @typedef {object} OutboxEvents
 * @property {{room: string, key: string}} said
 * @property {{room: string, key: string, failure: Failure, isHeard: boolean}} refused `isHeard` is set by whoever shows it
 * @property {{room: string, key: string, renewed: string}} renewed
 * @property {{room: string}} changed
 */

/** @extends {Emitter<OutboxEvents>} */
export class Outbox extends Emitter {
  /** @type {Map<string, Waiting>} */
  #waiting = new Map();

  /** @param {Store} store */
  constructor(store) {
    super();
    this.store = store;
    store.on("ready", () => this.#gather());
    store.on("status", () => this.#flush());
  }

  /**
   * @param {string} room
   * @param {Draft} draft
   * @returns {Draft} the draft as it waits now
   */
  put(room, draft) {
    const waiting = { ...draft, sending: true, tried: true };
    keepDraft(room, waiting);
    this.#waiting.set(room, { draft: waiting, isFirst: !draft.tried && this.store.connection === "live", isSending: false, failures: 0 });
    this.#flush();
    return waiting;
  }

  /**
   * Back to writing. What is on its way may still arrive, and then counts as said.
   * @param {string} room
   */
  takeBack(room) {
    const waiting = this.#waiting.get(room);
    this.#waiting.delete(room);
    if (waiting) keepDraft(room, { ...waiting.draft, sending: false });
  }

  /**
   * Whether it takes longer than it should.
   * @param {string} room
   */
  isStuck(room) {
    return (this.#waiting.get(room)?.failures ?? 0) > 0;
  }

  /** Whatever was left unsent here, by this tab or by one that is gone. */
  #gather() {
    for (const room of roomsWithDrafts()) {
      const draft = loadDraft(room);
      if (draft.sending && !this.#waiting.has(room)) this.#waiting.set(room, { draft, isFirst: false, isSending: false, failures: 0 });
    }
    this.#flush();
  }

  #flush() {
    if (this.store.connection !== "live") return;
    for (const [room, waiting] of this.#waiting) {
      if (waiting.isSending || this.store.room(room)?.state === "closed") continue;
      waiting.isSending = true;
      void alone(room, () => this.#send(room, waiting));
    }
  }

  /**
   * @param {string} room
   * @param {Waiting} waiting
   */
  async #send(room, waiting) {
    const { draft } = waiting;
    try {
      const { event, repeated } = await this.store.api.ask("send", questionOf(room, draft));
      if (repeated && waiting.isFirst && !await this.#isSaid(room, event, draft)) return this.#renew(room, waiting);
      this.#finish(room, waiting);
      if (loadDraft(room).key === draft.key) dropDraft(room);
      this.emit("said", { room, key: draft.key });
    } catch (error) {
      this.#failed(room, waiting, error);
    }
  }

  /**
   * Whether the key stands for these words. It does where the browser itself asked twice after a broken connection.
   * @param {string} room
   * @param {string} event what the companion has under the key
   * @param {Draft} draft
   */
  async #isSaid(room, event, draft) {
    const { events: [entry] } = await this.store.api.ask("read", { room, event });
    return !entry || lettersOf(entry.text) === lettersOf(draft.text);
  }

  /**
   * @param {string} room
   * @param {Waiting} waiting
   */
  #renew(room, waiting) {
    if (this.#waiting.get(room) !== waiting) return;
    const { key } = waiting.draft;
    waiting.draft = { ...waiting.draft, key: newKey() };
    keepDraft(room, waiting.draft);
    this.emit("renewed", { room, key, renewed: waiting.draft.key });
    this.#later(waiting, 0);
  }

  /**
   * @param {string} room
   * @param {Waiting} waiting
   * @param {unknown} error
   */
  #failed(room, waiting, error) {
    const refused = asRefused(error);
    waiting.failures += 1;
    waiting.isFirst = false;
    if (refused.isAway || refused.status === 401) {
      this.emit("changed", { room });
      return this.#later(waiting, RETRY);
    }
    this.#finish(room, waiting);
    const stored = loadDraft(room);
    if (stored.key === waiting.draft.key) keepDraft(room, { ...waiting.draft, sending: false });
    const said = { room, key: waiting.draft.key, failure: refused.failure, isHeard: false };
    this.emit("refused", said);
    if (!said.isHeard) toast(`Not sent to ${this.store.room(room)?.title ?? "a room"}: ${refused.failure.message}`);
  }

  /**
   * @param {Waiting} waiting
   * @param {number} wait
   */
  #later(waiting, wait) {
    setTimeout(() => {
      waiting.isSending = false;
      this.#flush();
    }, wait);
  }

  /**
   * @param {string} room
   * @param {Waiting} waiting
   */
  #finish(room, waiting) {
    if (this.#waiting.get(room) === waiting) this.#waiting.delete(room);
  }
}

/**
 * One tab at a time says what waits in a room, so that another finds it said.
 * @param {string} room
 * @param {() => Promise<void>} send
 */
function alone(room, send) {
  return navigator.locks ? navigator.locks.request(`pairwave.send.${room}`, send) : send();
}

/**
 * The companion leaves out signs that can't be seen.
 * @param {string} text
 */
function lettersOf(text) {
  return text.replace(/[^\p{L}\p{N}\p{P}\p{S}]/gu, "");
}

/**
 * @param {string} room
 * @param {Draft} draft
 */
function questionOf(room, draft) {
  return {
    room, kind: draft.kind, text: draft.text.trim(), to: draft.to || undefined,
    answers: draft.answers || undefined, ...extrasOf(draft.kind, draft.more), key: draft.key,
  };
}
