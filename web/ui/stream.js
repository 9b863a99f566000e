/** The companion's live stream: server-sent events read by fetch, since EventSource can't send a token. */

import { Emitter } from "./emitter.js";

/** @import { Api } from "./api.js" */
/** @import { StreamEvents } from "./types.js" */

/** Longer without a byte than two and a half heartbeats is a dead connection, whatever TCP thinks. */
const SILENCE = 40_000;
const PROOF_PATIENCE = 10_000;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;

/** @extends {Emitter<StreamEvents>} */
export class Stream extends Emitter {
  #lastId = "";
  #wait = FIRST_WAIT;
  #isRunning = false;
  /** Whether the companion gave this tab's place to another one. */
  #isReplaced = false;
  /** @type {AbortController | null} */
  #connection = null;
  /** @type {(() => void) | null} */
  #wake = null;

  /** @param {Api} api */
  constructor(api) {
    super();
    this.api = api;
  }

  start() {
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#run();
  }

  stop() {
    this.#isRunning = false;
    this.#connection?.abort();
    this.#wake?.();
  }

  /** While away: tries again at once instead of waiting for the back-off, or for somebody who does not answer. */
  retry() {
    this.#wait = FIRST_WAIT;
    this.#connection?.abort();
    this.#wake?.();
  }

  async #run() {
    while (this.#isRunning) {
      const outcome = await this.#connect().catch(() => "away");
      if (!this.#isRunning) return;
      if (outcome === "locked" || outcome === "replaced") {
        this.#isRunning = false;
        this.emit(outcome, null);
        return;
      }
      await this.#pause();
    }
  }

  async #pause() {
    const wait = this.#wait * (0.75 + Math.random() / 2);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
    this.emit("away", { retryAt: Date.now() + wait });
    await new Promise((resolve) => {
      this.#wake = () => resolve(null);
      setTimeout(resolve, wait);
    });
    this.#wake = null;
  }

  async #connect() {
    const connection = new AbortController();
    this.#connection = connection;
    const watchdog = new Watchdog(() => connection.abort());
    try {
      const proved = await this.api.prove(AbortSignal.any([connection.signal, AbortSignal.timeout(PROOF_PATIENCE)]));
      if (proved !== "proved") return proved;
      return await this.#follow(connection.signal, watchdog);
    } finally {
      watchdog.stop();
    }
  }

  /**
   * @param {AbortSignal} signal
   * @param {Watchdog} watchdog
   */
  async #follow(signal, watchdog) {
    const headers = new Headers({ authorization: `Bearer ${this.api.token ?? ""}`, accept: "text/event-stream" });
    if (this.#lastId) headers.set("last-event-id", this.#lastId);
    const response = await fetch("/api/stream", { headers, signal, cache: "no-store" });
    if (response.status === 401) return "locked";
    if (!response.ok || !response.body) return "away";
    this.#isReplaced = false;
    await this.#read(response.body, watchdog);
    return this.#isReplaced ? "replaced" : "away";
  }

  /**
   * @param {ReadableStream<Uint8Array>} body
   * @param {Watchdog} watchdog
   */
  async #read(body, watchdog) {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    const parser = new EventParser((type, data, id) => this.#take(type, data, id));
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      watchdog.feed();
      parser.push(decoder.decode(value, { stream: true }));
      if (this.#isReplaced) return void reader.cancel();
    }
  }

  /**
   * @param {string} type
   * @param {string} data
   * @param {string | null} id
   */
  #take(type, data, id) {
    const detail = data ? JSON.parse(data) : null;
    if (type === "ready") this.#wait = FIRST_WAIT;
    if (type === "replaced") this.#isReplaced = true;
    if (type === "ready" || type === "entry" || type === "notice") this.emit(type, detail);
    // Only after it was taken: a cursor ahead of what was handled would lose an entry.
    if (id !== null) this.#lastId = id;
  }
}

/** Cuts text into events, as the HTML standard has it, but for a name without data, which is an event here too. */
export class EventParser {
  #rest = "";
  #type = "";
  /** @type {string[]} */
  #data = [];
  /** @type {string | null} */
  #id = null;

  /** @param {(type: string, data: string, id: string | null) => void} take */
  constructor(take) {
    this.take = take;
  }

  /** @param {string} text */
  push(text) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line);
  }

  /** @param {string} line */
  #line(line) {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.#type = value;
    else if (name === "data") this.#data.push(value);
    else if (name === "id") this.#id = value;
  }

  #dispatch() {
    if (this.#data.length || this.#type) this.take(this.#type || "message", this.#data.join("\n"), this.#id);
    this.#type = "";
    this.#data = [];
    this.#id = null;
  }
}

class Watchdog {
  #timer = 0;

  /** @param {() => void} bite */
  constructor(bite) {
    this.bite = bite;
    this.feed();
  }

  feed() {
    this.stop();
    this.#timer = window.setTimeout(this.bite, SILENCE);
  }

  stop() {
    clearTimeout(this.#timer);
  }
}
