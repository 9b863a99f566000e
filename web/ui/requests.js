/** What is asked of whom, by room: the requests that are open, and where each stands. */

import { Emitter } from "./emitter.js";
import { isAboutRequest } from "./kinds.js";

/** @import { ActionDetail, ActionRequest, Entry } from "./types.js" */
/** @import { Store } from "./store.js" */

/** @extends {Emitter<{changed: {room: string}}>} */
export class Requests extends Emitter {
  /** The open ones. @type {Map<string, ActionRequest[]>} */
  #open = new Map();
  /** Those that were looked up. @type {Map<string, Promise<ActionRequest | null>>} */
  #known = new Map();
  /** What the companion counted when a room was last asked for. @type {Map<string, number>} */
  #counted = new Map();
  /** Rooms that are being asked for, and whether again after that. @type {Map<string, boolean>} */
  #asking = new Map();

  /** @param {Store} store */
  constructor(store) {
    super();
    this.store = store;
    store.on("ready", () => this.#forget());
    store.on("entry", ({ entry }) => this.#entry(entry));
    store.on("notice", ({ notice, room }) => notice === "undone" && this.#refresh(room));
    store.on("status", () => this.#compare());
  }

  /**
   * Those that wait for a yes or no from here, the oldest first.
   * @param {string} room
   */
  pending(room) {
    return (this.#open.get(room) ?? []).filter((request) => request.for_me && request.state === "pending");
  }

  /**
   * Where a request stands.
   * @param {string} room
   * @param {string} id
   * @returns {Promise<ActionRequest | null>}
   */
  async find(room, id) {
    const open = this.#open.get(room)?.find((request) => request.id === id);
    if (open) return open;
    const known = this.#known.get(id) ?? this.show(room, id).then(({ request }) => request, () => null);
    this.#known.set(id, known);
    return known;
  }

  /**
   * A request with everything that it would do.
   * @param {string} room
   * @param {string} id
   * @returns {Promise<ActionDetail>}
   */
  async show(room, id) {
    /** @type {ActionDetail} */
    const detail = await this.store.api.ask("show_request", { room, request: id });
    const { artifact } = detail.request;
    return artifact && !detail.payload ? { ...detail, ...await this.#shared(room, artifact) } : detail;
  }

  /**
   * Says yes or no to what was shown.
   * @param {string} room
   * @param {ActionRequest} request
   * @param {{decision: "approve" | "deny", reason?: string, always?: boolean}} answer
   */
  async respond(room, request, { decision, reason, always }) {
    try {
      await this.store.api.ask("respond", {
        room, request: request.id, decision, hash: request.hash, reason: reason || undefined, always_allow: always || undefined,
      });
    } finally {
      this.#again(room, request.id);
    }
  }

  /**
   * What a request names in place of a payload.
   * @param {string} room
   * @param {string} artifact
   */
  async #shared(room, artifact) {
    const { content, cut } = await this.store.shared.show(room, artifact);
    const missing = content === null ? "What it would do is not here yet, or no more." : cut ? "It is longer than what can be shown here. Decide about it in a terminal, after you have taken it out of the quarantine." : undefined;
    return { payload: content ?? "", missing };
  }

  #forget() {
    this.#known.clear();
    this.#counted.clear();
    this.#compare();
  }

  /** @param {Entry} entry */
  #entry(entry) {
    if (isAboutRequest(entry.kind)) this.#again(entry.room, entry.request ?? entry.event);
  }

  /** Asks for each room whose number of waiting requests is another one than before. */
  #compare() {
    for (const { room, state, waiting } of this.store.status?.rooms ?? []) {
      const count = waiting?.permissions ?? 0;
      if (state !== "member" || this.#counted.get(room) === count) continue;
      // Of a room that nothing waits in there is nothing to ask; what stood open before is looked at once more.
      if (!count && !this.#open.get(room)?.length) this.#counted.set(room, 0);
      else this.#refresh(room, count);
    }
  }

  /**
   * @param {string} room
   * @param {string} id
   */
  #again(room, id) {
    this.#known.delete(id);
    void this.#refresh(room);
  }

  /**
   * @param {string} room
   * @param {number} [count]
   */
  async #refresh(room, count) {
    if (count !== undefined) this.#counted.set(room, count);
    if (this.#asking.has(room)) return void this.#asking.set(room, true);
    this.#asking.set(room, false);
    try {
      const { requests } = await this.store.api.ask("requests", { room });
      this.#open.set(room, requests);
      this.emit("changed", { room });
    } catch {
      // The next status asks again.
      this.#counted.delete(room);
    } finally {
      const isAgain = this.#asking.get(room);
      this.#asking.delete(room);
      if (isAgain) void this.#refresh(room);
    }
  }
}
