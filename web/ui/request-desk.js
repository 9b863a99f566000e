/** Lays requests before the human, one after the other, each when nothing else is in front. */

import { stateName } from "./action-words.js";
import { isTyping } from "./dom.js";
import { RequestDialog } from "./request-dialog.js";
import { toast, toastFailure } from "./toast.js";

/** @import { ActionRequest } from "./types.js" */
/** @import { Store } from "./store.js" */

/** Who typed until now goes on typing: what appears would swallow it. */
const IDLE = 1_500;

export class RequestDesk {
  /** Put off by the human. @type {Set<string>} */
  #later = new Set();
  /** @type {RequestDialog | null} */
  #shown = null;
  #isOpening = false;
  #typedAt = -Infinity;
  #timer = 0;

  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    store.requests.on("changed", () => this.#changed());
    store.shared.on("changed", () => { if (this.#shown?.request.artifact) this.#changed(); });
    document.addEventListener("close", () => this.#soon(), { capture: true });
    document.addEventListener("keydown", ({ target }) => { if (isTyping(target)) this.#typedAt = performance.now(); }, { capture: true });
  }

  /**
   * Shows a request, or the first that waits in a room, though it was put off.
   * @param {string} room
   * @param {string} [id]
   */
  open(room, id) {
    const wanted = this.store.requests.pending(room).find((request) => !id || request.id === id);
    if (wanted && !this.#shown) void this.#show(room, wanted);
  }

  #changed() {
    if (this.#shown) void this.#compare(this.#shown);
    this.#shown?.showQueue();
    this.#soon();
  }

  /** A moment later: what was closed is gone then. */
  #soon(wait = 0) {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#next(), wait);
  }

  #next() {
    if (this.#shown || this.#isOpening || document.querySelector("dialog[open]") || this.store.connection !== "live") return;
    const [next] = this.#waiting;
    if (!next) return;
    const idle = performance.now() - this.#typedAt;
    if (isTyping(document.activeElement) && idle < IDLE) return this.#soon(IDLE - idle);
    void this.#show(next.room, next.request);
  }

  /** @returns {{room: string, request: ActionRequest}[]} */
  get #waiting() {
    return (this.store.status?.rooms ?? []).flatMap(({ room }) => this.store.requests.pending(room).map((request) => ({ room, request })))
      .filter(({ request }) => !this.#later.has(request.id));
  }

  /**
   * @param {string} room
   * @param {ActionRequest} request
   */
  async #show(room, request) {
    if (this.#isOpening) return;
    this.#isOpening = true;
    try {
      const detail = await this.store.requests.show(room, request.id);
      if (detail.request.state !== "pending" || document.querySelector("dialog[open]")) return;
      this.#later.add(request.id);
      this.#shown = new RequestDialog(this.store, room, detail, { others: () => this.#waiting.length, closed: () => { this.#shown = null; } });
    } catch (error) {
      this.#later.add(request.id);
      toastFailure(error);
    } finally {
      this.#isOpening = false;
    }
  }

  /** @param {RequestDialog} dialog */
  async #compare(dialog) {
    const detail = await this.store.requests.show(dialog.room, dialog.request.id).catch(() => null);
    if (!detail || this.#shown !== dialog || dialog.isAnswering) return;
    if (detail.request.state === "pending") return dialog.update(detail);
    dialog.close();
    toast(`${dialog.request.from}’s request was ${stateName(detail.request)} elsewhere.`);
  }
}
