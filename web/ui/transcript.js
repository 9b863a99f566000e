/** The live transcript of one room: a window of rows over a log of any length. */

import { asRefused } from "./api.js";
import { button, fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { compare } from "./order.js";
import { noFilter, Pager } from "./pager.js";
import { isInFront, Reader } from "./reader.js";
import { isUnread, Rows } from "./rows.js";
import { toastFailure } from "./toast.js";

/** @import { Entry, Filter, Notice, Room } from "./types.js" */
/** @import { Store } from "./store.js" */

/** How near to an edge the next page is asked for, in px. */
const REACH = 900;
const AT_END = 40;

/**
 * @typedef {object} TranscriptHooks
 * @property {(entry: Entry) => void} inspect
 * @property {(entry: Entry) => void} answer
 * @property {(id: string) => void} openRequest
 * @property {(id: string) => void} openArtifact
 * @property {() => void} clearFilter
 */

export class Transcript extends HTMLElement {
  #isOpen = false;
  /** The way to where somebody wants to be, until it led there. @type {(() => Promise<boolean>) | null} */
  #way = null;
  /** Whether a piece was asked for, and none came yet. */
  #isAwaited = false;
  /** @type {string | null} */
  #divider = null;
  #newBelow = 0;
  #wasClosed = false;
  #isAskingDeliveries = false;
  #isDeliveryNews = false;
  #renderTimer = 0;
  #moveFrame = 0;
  /** Whether the reader was at the bottom before whatever changes the heights now. */
  #follows = false;
  /** Came in above what was on the screen, and was not seen since: arrivals by event. @type {Map<string, number>} */
  #late = new Map();
  /** Where the scroller stood when it was last looked at; NaN after a jump. */
  #lookedAt = NaN;
  /** @type {Set<string>} */
  #unfolded = new Set();
  list = h("div", { class: "rows", role: "feed", "aria-label": "Transcript", "aria-busy": "true", "data-testid": "transcript" });
  above = h("div", { class: "edge" });
  below = h("div", { class: "edge" });
  note = h("div", { class: "transcript-note", "data-testid": "transcript-note" });
  scroller = h("div", { class: "scroller", "data-testid": "scroller", on: { scroll: () => this.#scrolled() } }, this.above, this.list, this.note, this.below);
  toUnreadPill = button("First unread", { class: "pill", hidden: true, "data-testid": "jump-first-unread", on: { click: () => this.toFirstUnread() } }, icon("up"));
  toLatePill = button("", { class: "pill", hidden: true, "data-testid": "jump-late", on: { click: () => this.#toLate() } });
  toNewestPill = button("", { class: "pill", hidden: true, "data-testid": "jump-newest", on: { click: () => void this.toNewest() } });

  /**
   * @param {Store} store
   * @param {string} room
   * @param {TranscriptHooks} hooks
   * @param {AbortSignal} signal
   */
  constructor(store, room, hooks, signal) {
    super();
    this.store = store;
    this.roomId = room;
    this.hooks = hooks;
    this.pager = new Pager(store.api, room);
    this.reader = new Reader(store, room, {
      piece: () => this.pager.window,
      passed: () => this.#passed(),
      lookUp: (event) => this.pager.lookUp(event),
    });
    this.rows = new Rows(this.list, () => this.#context());
    store.on("entry", ({ entry, fresh }) => entry.room === room && this.#take(entry, fresh), signal);
    store.on("notice", (notice) => (notice.room === room || notice.notice === "missed") && this.#notice(notice), signal);
    store.on("ready", () => this.#ready(), signal);
    store.on("status", () => this.#status(), signal);
    window.addEventListener("focus", () => this.reader.nudge(), { signal });
    document.addEventListener("visibilitychange", () => this.reader.nudge(), { signal });
    this.#watchWidth(signal);
    this.append(this.scroller, h("div", { class: "pills" }, this.toUnreadPill, this.toLatePill, this.toNewestPill));
    this.#quiet("Opening the room …");
  }

  get view() {
    return this.store.room(this.roomId);
  }

  /** Opens where reading goes on: at the first unread message, else at the newest. */
  async open() {
    this.#isOpen = true;
    if (this.#isClosed) return this.#quiet("It comes back here by itself.");
    this.#divider = this.view?.first_unread ?? null;
    if (this.#divider) return this.goTo(this.#divider, { focus: false });
    return this.toNewest();
  }

  toNewest() {
    return this.#go(async () => {
      const { atEnd, entries } = this.pager.window;
      if ((!atEnd || !entries.length) && !await this.#load(() => this.pager.newest(), true)) return false;
      this.#newBelow = 0;
      this.#toBottom();
      this.#moved();
      return true;
    });
  }

  toFirstUnread() {
    const event = this.view?.first_unread ?? this.#divider;
    if (event) void this.goTo(event);
  }

  /**
   * @param {string} event
   * @param {{focus?: boolean}} [how]
   */
  goTo(event, { focus = true } = {}) {
    if (this.pager.isFiltered && !this.pager.window.get(event)) this.#widen();
    return this.#go(async () => {
      if (!this.pager.window.get(event) && !await this.#load(() => this.pager.around(event), true)) return false;
      const article = this.rows.article(event);
      if (article) this.#show(article, focus);
      else await this.toNewest();
      return true;
    });
  }

  /** @param {Filter} filter */
  narrow(filter) {
    this.#empty(filter);
    return this.toNewest();
  }

  /**
   * Moves between entries from the keyboard.
   * @param {1 | -1} step
   */
  step(step) {
    const articles = this.rows.articles;
    const at = articles.indexOf(/** @type {HTMLElement} */ (document.activeElement?.closest("article")));
    const next = at < 0 ? this.#lowestSeen() : articles[at + step];
    if (next) this.focusEntry(next);
  }

  /** @param {HTMLElement} article */
  focusEntry(article) {
    for (const other of this.list.querySelectorAll('article[tabindex="0"]')) other.setAttribute("tabindex", "-1");
    article.tabIndex = 0;
    article.focus({ preventScroll: true });
    const view = this.scroller.getBoundingClientRect();
    const box = article.getBoundingClientRect();
    if (box.top < view.top || box.height > view.height) this.scroller.scrollTop += box.top - view.top - 12;
    else if (box.bottom > view.bottom) this.scroller.scrollTop += box.bottom - view.bottom + 12;
  }

  get focused() {
    const article = /** @type {HTMLElement | undefined} */ (document.activeElement?.closest("article") ?? undefined);
    const event = article && this.contains(article) ? article.dataset.event : undefined;
    return event ? this.pager.window.get(event) : undefined;
  }

  get #isClosed() {
    return this.view?.state === "closed";
  }

  /**
   * Goes where somebody wants to be: what refreshes the page meanwhile goes there again, and another way replaces it.
   * @param {() => Promise<boolean>} way says whether it led there
   */
  async #go(way) {
    this.#isOpen = true;
    if (this.#way) this.pager.forget();
    this.list.setAttribute("aria-busy", String(this.pager.isLoading));
    this.#way = way;
    if (await way() && this.#way === way) this.#way = null;
  }

  /** Goes on with the way that did not lead there yet; without one, to what is searched for, or to where reading goes on. */
  #goOn() {
    if (this.#isClosed) return this.open();
    if (this.#way) return this.#go(this.#way);
    return this.pager.isFiltered ? this.toNewest() : this.open();
  }

  /** @param {Filter} filter of what is to come instead */
  #empty(filter) {
    this.pager.filter = filter;
    this.rows.clear();
    this.pager.window.reset([], { atStart: false, atEnd: false });
  }

  /** Back to the whole room, of which nothing is at hand. */
  #widen() {
    this.hooks.clearFilter();
    this.#empty(noFilter());
  }

  /**
   * @param {HTMLElement} article
   * @param {boolean} focus
   */
  #show(article, focus) {
    this.#scrollTo(article);
    if (focus) {
      this.focusEntry(article);
      article.classList.add("is-found");
      setTimeout(() => article.classList.remove("is-found"), 1_800);
    }
    this.#moved();
  }

  /** @param {AbortSignal} signal */
  #watchWidth(signal) {
    const observer = new ResizeObserver(() => {
      const isNarrow = this.clientWidth < 640;
      const follows = this.#follows;
      if (this.rows.isNarrow !== isNarrow) {
        this.rows.isNarrow = isNarrow;
        this.#render(follows);
      } else if (follows) this.#toBottom();
      this.#pills();
    });
    observer.observe(this);
    signal.addEventListener("abort", () => observer.disconnect());
  }

  /** @returns {import("./entry.js").RowContext} */
  #context() {
    return {
      room: this.view,
      lookUp: (id) => this.pager.lookUp(id),
      goTo: (id) => void this.goTo(id),
      inspect: this.hooks.inspect,
      answer: this.hooks.answer,
      requests: this.store.requests,
      openRequest: this.hooks.openRequest,
      shared: this.store.shared,
      openArtifact: this.hooks.openArtifact,
      showInPlace: (entry) => {
        this.#widen();
        void this.goTo(entry.event);
      },
      isFiltered: this.pager.isFiltered,
      unfolded: this.#unfolded,
    };
  }

  /**
   * @param {() => Promise<boolean>} load
   * @param {boolean} isFresh
   */
  async #load(load, isFresh) {
    this.list.setAttribute("aria-busy", "true");
    if (isFresh) this.#isAwaited = true;
    if (isFresh && !this.pager.window.entries.length) this.#quiet(this.pager.isFiltered ? "Searching …" : "Opening the room …");
    try {
      if (!await load()) return false;
      this.#isAwaited = false;
      this.#render(false);
      return true;
    } catch (error) {
      if (isFresh) this.#failed(error);
      return false;
    } finally {
      this.list.setAttribute("aria-busy", String(this.pager.isLoading));
    }
  }

  /** @param {boolean} follows */
  #render(follows) {
    const anchor = follows ? null : this.#anchor();
    this.rows.render(this.pager.window, this.#divider);
    this.#edges();
    if (follows) this.#toBottom();
    else if (anchor?.article.isConnected) this.#shift(anchor.article.getBoundingClientRect().top - anchor.top);
    if (!this.list.querySelector('article[tabindex="0"]')) this.rows.articles.at(-1)?.setAttribute("tabindex", "0");
  }

  /** The row that must not move while others come and go. */
  #anchor() {
    const top = this.scroller.getBoundingClientRect().top;
    const article = this.rows.articles.find((row) => row.getBoundingClientRect().bottom > top);
    return article ? { article, top: article.getBoundingClientRect().top } : null;
  }

  /** @param {number} by what came or went above */
  #shift(by) {
    this.scroller.scrollTop += by;
    this.#lookedAt += by;
  }

  #edges() {
    const { entries, atStart, atEnd } = this.pager.window;
    const isFiltered = this.pager.isFiltered;
    // The note says what is awaited, or why it did not come.
    if (this.#isAwaited && !entries.length) return;
    fill(this.note);
    this.list.hidden = !entries.length;
    if (!entries.length) this.#quiet(isFiltered ? "Nothing here matches." : "Nothing was said yet.");
    fill(this.above, entries.length > 0 && (atStart ? (isFiltered ? "No earlier match" : "Here the room begins") : "Earlier …"));
    fill(this.below, entries.length > 0 && !atEnd && "Later …");
  }

  /** @param {string} text */
  #quiet(text) {
    fill(this.note, h("p", { class: "quiet-note" }, text));
  }

  /** @param {unknown} error why a way leads nowhere: who has something to read stays there */
  #failed(error) {
    if (this.pager.window.entries.length) {
      this.#way = null;
      return toastFailure(error);
    }
    const { failure } = asRefused(error);
    fill(this.note, h("div", { class: "state", role: "alert" }, h("h2", null, failure.message), h("p", null, failure.next),
      button("Try again", { class: "primary", on: { click: () => void this.#goOn() } })));
  }

  /**
   * @param {Entry} entry
   * @param {boolean} fresh
   */
  #take(entry, fresh) {
    if (!this.#isOpen) return;
    const follows = this.#follows;
    const outcome = this.pager.take(entry, follows);
    const isUnreadNow = fresh && isUnread(entry, this.view?.read_through ?? 0);
    if (isUnreadNow && !isInFront() && !this.#isDividerUnread()) this.#divider = entry.event;
    if (isUnreadNow) this.#count(entry, follows);
    this.#markFork(entry);
    if (outcome === "outside") return this.#pills();
    this.#renderSoon();
  }

  /**
   * The first event of a fork was drawn when nobody knew of the second.
   * @param {Entry} entry that came in
   */
  #markFork(entry) {
    const twins = this.pager.window.entries.filter((other) => other.member === entry.member && other.seq === entry.seq && other.event !== entry.event);
    for (const { event } of twins.filter((twin) => !twin.forked)) void this.#again(event);
  }

  /** @param {string} event */
  #again(event) {
    return this.pager.again(event).then(() => this.#render(this.#follows), () => {});
  }

  /**
   * @param {Entry} entry that came in unread
   * @param {boolean} follows
   */
  #count(entry, follows) {
    const top = this.#onScreen()[0];
    if (top && compare(entry, top) < 0) this.#late.set(entry.event, entry.arrival);
    else if (!follows) this.#newBelow += 1;
  }

  #isDividerUnread() {
    if (this.view?.unread) return true;
    const first = this.#divider && this.pager.window.get(this.#divider);
    return Boolean(first && isUnread(first, this.view?.read_through ?? 0));
  }

  /** Many entries in a row make one drawing. A timer, since a tab in the background has no frames. */
  #renderSoon() {
    this.#renderTimer ||= window.setTimeout(() => {
      this.#renderTimer = 0;
      this.#render(this.#follows);
      this.#moved();
    }, 30);
  }

  /** @param {Notice} notice */
  #notice(notice) {
    if (notice.notice === "delivery") void this.#refreshDeliveries();
    if (notice.notice === "missed" || notice.notice === "reopened" || notice.notice === "warning") void this.#reread();
    if (notice.notice === "undone" && notice.event) void this.#again(notice.event);
  }

  /** One question at a time; what came into an entry meanwhile stays. */
  async #refreshDeliveries() {
    if (this.#isAskingDeliveries) {
      this.#isDeliveryNews = true;
      return;
    }
    const open = this.pager.window.entries.filter((entry) => entry.me && Object.values(entry.delivery ?? {}).some((state) => state !== "shown"));
    if (!open.length) return;
    this.#isAskingDeliveries = true;
    this.#isDeliveryNews = false;
    const events = open.slice(-200).map((entry) => entry.event);
    /** @type {{deliveries: Record<string, Entry["delivery"]>}} */
    const { deliveries } = await this.store.api.ask("deliveries", { room: this.roomId, events }).catch(() => ({ deliveries: {} }));
    this.#isAskingDeliveries = false;
    for (const [event, delivery] of Object.entries(deliveries)) {
      const entry = this.pager.window.get(event);
      if (entry && JSON.stringify(delivery) !== JSON.stringify(entry.delivery)) this.pager.window.insert({ ...entry, delivery });
    }
    this.#render(this.#follows);
    if (this.#isDeliveryNews) void this.#refreshDeliveries();
  }

  #ready() {
    if (this.#isOpen) void this.#reread();
    else void this.open();
  }

  /** What is on the screen may be old: notices were lost, or the room was away. */
  async #reread() {
    if (!this.#isOpen) return;
    if (this.#way || !this.pager.window.entries.length) return this.#goOn();
    const follows = this.#follows;
    const isDone = await this.pager.reread(follows).catch(() => false);
    if (!isDone) return;
    this.#render(follows);
    this.#moved();
  }

  #status() {
    const isClosed = this.#isClosed;
    if (this.#wasClosed && !isClosed) void this.#reread();
    this.#wasClosed = isClosed;
    this.reader.nudge();
    this.rows.mark(this.view);
    if (!this.#divider && !isInFront()) this.#divider = this.view?.first_unread ?? null;
    this.#pills();
  }

  #scrolled() {
    this.#moveFrame ||= requestAnimationFrame(() => {
      this.#moveFrame = 0;
      this.#moved();
    });
  }

  #moved() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    if (scrollTop < REACH) void this.#page(() => this.pager.older());
    if (scrollHeight - scrollTop - clientHeight < REACH) void this.#page(() => this.pager.newer());
    this.#follows = this.#isAtBottom() && this.pager.window.atEnd;
    if (this.#follows) this.#newBelow = 0;
    for (const { event } of this.#late.size ? this.#onScreen() : []) this.#late.delete(event);
    this.#pills();
    this.reader.nudge();
  }

  /** @param {() => Promise<boolean>} load */
  async #page(load) {
    if (this.pager.isLoading) return;
    // Another page may be needed at once where rows are few or short.
    if (await this.#load(load, false)) this.#moved();
  }

  #pills() {
    const isAtEnd = this.pager.window.atEnd && this.#isAtBottom();
    this.toNewestPill.hidden = isAtEnd || !this.pager.window.entries.length;
    fill(this.toNewestPill, icon("down"), h("span", null, this.#newBelow ? `${this.#newBelow} new` : "Newest"));
    this.toUnreadPill.hidden = !this.#isUnreadAbove();
    const through = this.view?.read_through ?? 0;
    for (const [event, arrival] of this.#late) if (arrival <= through) this.#late.delete(event);
    const late = this.#late.size;
    this.toLatePill.hidden = late === 0;
    fill(this.toLatePill, icon("up"), h("span", null, late === 1 ? "1 came in above" : `${late} came in above`));
  }

  #isUnreadAbove() {
    const event = this.view?.first_unread;
    if (!event || this.pager.isFiltered) return false;
    const article = this.rows.article(event);
    if (!article) return true;
    return article.getBoundingClientRect().top < this.scroller.getBoundingClientRect().top;
  }

  #toLate() {
    const [event] = this.#late.keys();
    this.#late.delete(event);
    void this.goTo(event);
  }

  /**
   * What stands on the screen, from above; nothing while only a part of the room is shown.
   * @param {number} [reach] so many px of what was scrolled by go with it
   */
  #onScreen(reach = 0) {
    if (this.pager.isFiltered || !this.scroller.clientHeight) return [];
    const view = this.scroller.getBoundingClientRect();
    const top = view.top - Math.max(0, reach);
    const bottom = view.bottom - Math.min(0, reach) - 8;
    return this.rows.articles.flatMap((article) => {
      const box = article.getBoundingClientRect();
      const entry = box.bottom > top && box.top < bottom ? this.pager.window.get(article.dataset.event ?? "") : undefined;
      return entry ?? [];
    });
  }

  /** What is on the screen, and what was since the last look: a quick hand scrolls by more than each frame shows. */
  #passed() {
    const { scrollTop, clientHeight } = this.scroller;
    const moved = scrollTop - this.#lookedAt;
    this.#lookedAt = scrollTop;
    return this.#onScreen(Math.abs(moved) < 2 * clientHeight ? moved : 0);
  }

  #lowestSeen() {
    const bottom = this.scroller.getBoundingClientRect().bottom;
    return this.rows.articles.reverse().find((article) => article.getBoundingClientRect().top < bottom - 20);
  }

  /** @param {HTMLElement} article */
  #scrollTo(article) {
    const row = article.parentElement ?? article;
    const offset = row.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top;
    this.scroller.scrollTop += offset - this.scroller.clientHeight / 4;
    this.#lookedAt = NaN;
  }

  #isAtBottom() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight < AT_END;
  }

  #toBottom() {
    this.#follows = this.pager.window.atEnd;
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.#lookedAt = NaN;
  }
}

customElements.define("pw-transcript", Transcript);
