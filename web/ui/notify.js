/** What says outside of the page that something came in: title, icon, notifications, and the words for screen readers. */

import { whatItDoes } from "./action-words.js";
import { h } from "./dom.js";
import { firstWords } from "./entry-parts.js";
import { isMessage } from "./kinds.js";
import { isInFront } from "./reader.js";
import { toast } from "./toast.js";

/** @import { Alert, Entry } from "./types.js" */
/** @import { Store } from "./store.js" */

const TITLE = "pairwave";

/** What comes within this time is announced together, so that a screen reader can follow. */
const GATHER = 1_000;

export class Notifier {
  #badge = -1;
  /** @type {Entry[]} */
  #unsaid = [];
  /** Those of them that are for us and came while we looked elsewhere. @type {Entry[]} */
  #unnoticed = [];
  /** Requests that were told of. @type {Set<string>} */
  #asked = new Set();
  #icon = /** @type {HTMLLinkElement} */ (document.querySelector('link[rel="icon"]'));
  #plainIcon = this.#icon.href;
  voice = h("div", { class: "visually-hidden", "aria-live": "polite", "data-testid": "announcer" });

  /**
   * @param {Store} store
   * @param {(room: string, event: string) => void} goTo
   */
  constructor(store, goTo) {
    this.store = store;
    this.goTo = goTo;
    document.body.append(this.voice);
    store.on("status", () => this.#showBadge());
    store.on("entry", ({ entry, fresh }) => fresh && !entry.me && isMessage(entry.kind) && this.#say(entry));
    store.on("connection", () => this.#showBadge());
    store.alerts.on("added", (alert) => this.#alert(alert));
    store.requests.on("changed", ({ room }) => this.#request(room));
  }

  /** Empty where there is nothing to ask for. */
  get label() {
    return "Notification" in window && Notification.permission === "default" ? "Notify me" : "";
  }

  /** Asks the browser; only ever because somebody pressed a button. */
  async request() {
    if (!("Notification" in window)) return toast("This browser has no notifications.");
    const answer = await Notification.requestPermission();
    toast(answer === "granted" ? "You are notified when this tab is in the background." : "The browser does not allow notifications for this page.");
    this.store.emit("connection", this.store.connection);
  }

  /** @param {Entry} entry */
  #say(entry) {
    if (!this.#unsaid.length) setTimeout(() => this.#announce(), GATHER);
    this.#unsaid.push(entry);
    if (!isInFront() && this.#isForUs(entry)) this.#unnoticed.push(entry);
  }

  /** @param {Entry} entry to everybody, or to the human here; what is for an agent is the agent's */
  #isForUs(entry) {
    const me = this.store.room(entry.room)?.me;
    return !entry.to || [me?.member, me?.name, me?.session, me?.session_name].includes(entry.to);
  }

  #announce() {
    this.#notify(this.#unnoticed.splice(0));
    const entries = this.#unsaid.splice(0);
    const lines = entries.length > 3 ? [`${entries.length} new messages`]
      : entries.map((entry) => `${entry.name}, ${entry.origin}, ${entry.kind}: ${firstWords(entry.headline || entry.text, 140)}`);
    for (const words of lines) {
      const line = h("p", null, words);
      this.voice.append(line);
      setTimeout(() => line.remove(), 10_000);
    }
  }

  /** @param {Entry[]} entries a burst makes one notification */
  #notify(entries) {
    const [first] = entries;
    if (!first) return;
    const rooms = new Set(entries.map((entry) => this.store.room(entry.room)?.title ?? ""));
    const where = rooms.size === 1 ? [...rooms][0] : `${rooms.size} rooms`;
    const words = firstWords(first.headline || first.text, 160);
    const title = entries.length === 1 ? `${first.name} in ${where}` : `${entries.length} new messages in ${where}`;
    this.#show(title, entries.length === 1 ? words : `${first.name}: ${words}`, first.event, () => this.goTo(first.room, first.event));
  }

  /** @param {Alert} alert */
  #alert(alert) {
    const room = this.store.room(alert.room);
    const name = room?.members.find((member) => member.member === alert.member)?.name ?? "somebody";
    const text = alert.kind === "asked" ? `${name} wants to compare words with you.` : alert.text;
    // A room that is not in the list has no place of its own to say it.
    if (!room) toast(text);
    if (!isInFront()) this.#show(room?.title ?? TITLE, text, `${alert.kind} ${alert.room}`, () => this.goTo(alert.room, ""));
  }

  /** @param {string} room in which somebody asks to have something done */
  #request(room) {
    for (const request of this.store.requests.pending(room)) {
      if (this.#asked.has(request.id)) continue;
      this.#asked.add(request.id);
      if (!isInFront()) this.#show(`${request.from} asks you to ${whatItDoes(request)}`, firstWords(request.summary, 160), request.id, () => this.goTo(room, ""));
    }
  }

  /**
   * @param {string} title
   * @param {string} body
   * @param {string} tag
   * @param {() => void} go
   */
  #show(title, body, tag, go) {
    if (!("Notification" in window) || Notification.permission !== "granted") return;
    const note = new Notification(title, { body, tag, icon: this.#plainIcon });
    note.onclick = () => {
      window.focus();
      go();
      note.close();
    };
  }

  #showBadge() {
    const unread = this.store.connection === "locked" ? 0 : this.store.unread;
    if (unread === this.#badge) return;
    this.#badge = unread;
    document.title = unread ? `(${unread > 999 ? "999+" : unread}) ${TITLE}` : TITLE;
    this.#icon.href = unread ? badgeIcon(unread) : this.#plainIcon;
  }
}

/** @param {number} unread */
function badgeIcon(unread) {
  const text = unread > 99 ? "99" : String(unread);
  const picture = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0d5b66"/>`
    + `<path d="M11 6v20M11 11c0 6 10 4 10 10v5" fill="none" stroke="#fffdf8" stroke-width="2.6" stroke-linecap="round"/><circle cx="11" cy="11" r="3.4" fill="#fffdf8"/>`
    + `<circle cx="22" cy="10" r="10" fill="#b3261e"/><text x="22" y="14.5" font-family="sans-serif" font-size="13" font-weight="700" text-anchor="middle" fill="#fff">${text}</text></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(picture)}`;
}
