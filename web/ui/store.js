/** What the page knows: the companion's status, and whether it is there. */

import { Alerts } from "./alerts.js";
import { Emitter } from "./emitter.js";
import { Findings } from "./findings.js";
import { Outbox } from "./outbox.js";
import { Shared } from "./quarantine.js";
import { Requests } from "./requests.js";
import { Stream } from "./stream.js";

/** @import { Api } from "./api.js" */
/** @import { Connection, Entry, Notice, Room, Status, StoreEvents } from "./types.js" */

const SETTLE = 200;
const MINUTE = 60_000;
const HIDDEN_PAUSE = 2_000;

/** @extends {Emitter<StoreEvents>} */
export class Store extends Emitter {
  /** @type {Status | null} */
  status = null;
  /** @type {Connection} */
  connection = "connecting";
  retryAt = 0;
  alerts = new Alerts();
  /** Highest arrival heard of, by room: what the stream replays is not new. @type {Map<string, number>} */
  #arrivals = new Map();
  #refreshTimer = 0;
  #refreshedAt = 0;
  #isRefreshing = false;
  #isAskedAgain = false;

  /** @param {Api} api */
  constructor(api) {
    super();
    this.api = api;
    this.stream = new Stream(api);
    this.outbox = new Outbox(this);
    this.requests = new Requests(this);
    this.findings = new Findings(api);
    this.shared = new Shared(this);
    this.stream.on("ready", (ready) => this.#ready(ready));
    this.stream.on("entry", (entry) => this.#entry(entry));
    this.stream.on("notice", (notice) => this.#notice(notice));
    this.stream.on("away", ({ retryAt }) => this.#away(retryAt));
    this.stream.on("locked", () => this.lock());
    this.stream.on("replaced", () => this.#connect("replaced"));
    api.onLocked = () => this.lock();
    setInterval(() => this.connection === "live" && this.refresh(), MINUTE);
  }

  start() {
    if (!this.api.token) return this.lock();
    if (this.connection !== "live") this.#connect("connecting");
    this.stream.start();
  }

  lock() {
    this.api.drop();
    this.stream.stop();
    this.#connect("locked");
  }

  /**
   * @param {string} id
   * @returns {Room | undefined}
   */
  room(id) {
    return this.status?.rooms.find((room) => room.room === id);
  }

  get unread() {
    return this.status?.rooms.reduce((sum, room) => sum + room.unread, 0) ?? 0;
  }

  /** Asks for the status soon; many causes in a row make one question, and in the background there is no hurry. */
  refresh() {
    if (this.#refreshTimer) return;
    const since = Date.now() - this.#refreshedAt;
    const wait = document.visibilityState === "hidden" ? Math.max(SETTLE, HIDDEN_PAUSE - since) : SETTLE;
    this.#refreshTimer = window.setTimeout(() => {
      this.#refreshTimer = 0;
      void this.#refreshNow();
    }, wait);
  }

  /** One question at a time: answers that overtake each other would show the past. */
  async #refreshNow() {
    if (this.#isRefreshing) {
      this.#isAskedAgain = true;
      return;
    }
    this.#isRefreshing = true;
    try {
      this.#learn(/** @type {Status} */ (await this.api.ask("show_status")));
    } catch {
      // The stream says when the companion is there again.
    } finally {
      this.#refreshedAt = Date.now();
      this.#isRefreshing = false;
      if (this.#isAskedAgain) this.refresh();
      this.#isAskedAgain = false;
    }
  }

  /** @param {Status} status */
  #learn(status) {
    const isListed = (/** @type {Room} */ room) => status.rooms.some((other) => other.room === room.room);
    // Nobody takes a member's room away: one that is not listed is about to be read again.
    const unlisted = (this.status?.rooms ?? []).filter((room) => (room.state === "member" || room.state === "closed") && !isListed(room));
    this.status = { ...status, rooms: [...status.rooms, ...unlisted.map((room) => /** @type {Room} */ ({ ...room, state: "closed" }))] };
    this.emit("status", this.status);
  }

  /**
   * What this page has read, before the companion says so too.
   * @param {string} id
   * @param {number} through
   * @param {number} unread
   */
  markRead(id, through, unread) {
    const room = this.room(id);
    if (!room || !this.status) return;
    room.read_through = Math.max(room.read_through, through);
    room.unread = unread;
    this.emit("status", this.status);
  }

  /** @param {{version: string}} ready */
  #ready(ready) {
    this.#connect("live");
    this.refresh();
    this.emit("ready", ready);
  }

  /** @param {Entry} entry */
  #entry(entry) {
    const known = this.#arrivals.get(entry.room) ?? 0;
    const fresh = entry.arrival > known;
    if (fresh) this.#arrivals.set(entry.room, entry.arrival);
    this.emit("entry", { entry, fresh });
    this.refresh();
  }

  /** @param {Notice} notice */
  #notice(notice) {
    this.alerts.take(notice);
    this.emit("notice", notice);
    this.refresh();
  }

  /** @param {number} retryAt */
  #away(retryAt) {
    this.retryAt = retryAt;
    this.#connect("away");
  }

  /** @param {Connection} connection */
  #connect(connection) {
    this.connection = connection;
    this.api.isOpen = connection === "live";
    this.emit("connection", connection);
  }
}
