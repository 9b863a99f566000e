/** Reading a room piece by piece: pages before and after, and live entries where they belong. */

import { EntryWindow } from "./entry-window.js";

/** @import { Api } from "./api.js" */
/** @import { Entry, Filter, Page } from "./types.js" */

const PAGE = 60;
/** Rows that the page holds at most; what is farther is asked for again when it is needed. */
const LIMIT = 260;
const KNOWN_LIMIT = 500;

/** @returns {Filter} */
export function noFilter() {
  return { query: "", kind: "", from: "" };
}

export class Pager {
  window = new EntryWindow();
  filter = noFilter();
  isLoading = false;
  #generation = 0;
  /** Where looking goes on beyond an edge, if not at the edge itself: a page of few matches was a long way. @type {string | null} */
  #olderFrom = null;
  /** @type {string | null} */
  #newerFrom = null;
  /** Came in while a page was on its way, which may not have it yet. @type {Entry[]} */
  #meanwhile = [];
  /** @type {Map<string, Promise<Entry | null>>} */
  #looked = new Map();

  /**
   * @param {Api} api
   * @param {string} room
   */
  constructor(api, room) {
    this.api = api;
    this.room = room;
  }

  get isFiltered() {
    return Boolean(this.filter.query || this.filter.kind || this.filter.from);
  }

  newest() {
    return this.#load(true, async () => {
      const page = await this.#firstMatches(this.#generation);
      return () => this.#begin(page.events, page.next, null);
    });
  }

  /** @param {string} event */
  around(event) {
    return this.#load(true, async () => {
      const [before, at, after] = await Promise.all([
        this.#read({ before: event, limit: PAGE / 2 }),
        this.#read({ event }),
        this.#read({ after: event, limit: PAGE / 2 }),
      ]);
      const entries = [...before.events, ...at.events, ...after.events];
      return () => this.#begin(entries, before.next, after.next);
    });
  }

  older() {
    const { first, atStart } = this.window;
    if (!first || atStart || this.isLoading) return Promise.resolve(false);
    return this.#load(false, async () => {
      const page = await this.#read({ before: this.#olderFrom ?? first.event });
      return () => {
        this.window.extend("start", page.events, page.next === null);
        this.#olderFrom = page.next;
        this.#trim("end");
      };
    });
  }

  newer() {
    const { last, atEnd } = this.window;
    if (!last || atEnd || this.isLoading) return Promise.resolve(false);
    return this.#load(false, async () => {
      const page = await this.#read({ after: this.#newerFrom ?? last.event });
      return () => {
        this.window.extend("end", page.events, page.next === null);
        this.#newerFrom = page.next;
        this.#trim("start");
      };
    });
  }

  /**
   * @param {Entry} entry
   * @param {boolean} follows whether the reader is at the end, and the beginning may go
   */
  take(entry, follows) {
    if (this.isLoading) this.#meanwhile.push(entry);
    if (!this.#matches(entry)) return "outside";
    const outcome = this.window.insert(entry);
    if (entry.answers && outcome === "added") this.#link(entry.answers, entry.event);
    this.#trim(follows ? "start" : "end");
    return outcome;
  }

  /** What is on its way is not wanted any more. */
  forget() {
    this.#generation += 1;
    this.isLoading = false;
    this.#meanwhile = [];
  }

  /**
   * Reads the piece at hand anew, with what came into it meanwhile.
   * @param {boolean} follows whether the reader is at the end, and the beginning may go
   */
  reread(follows) {
    const { first, entries, atStart } = this.window;
    if (!first) return this.newest();
    return this.#load(true, async () => {
      const [head, rest] = await Promise.all([
        this.#read({ event: first.event }),
        this.#read({ after: first.event, limit: Math.min(entries.length + PAGE, KNOWN_LIMIT) }),
      ]);
      return () => {
        // Equal entries stay the same object, so that their rows are not drawn anew.
        const fresh = [...head.events, ...rest.events].map((entry) => {
          const known = this.window.get(entry.event);
          return known && JSON.stringify(known) === JSON.stringify(entry) ? known : entry;
        });
        this.window.reset(fresh, { atStart, atEnd: rest.next === null });
        this.window.trim(follows ? "start" : "end", LIMIT);
      };
    });
  }

  /** @param {string} event */
  async again(event) {
    const page = await this.#read({ event });
    for (const entry of page.events) if (this.window.get(event)) this.window.insert(entry);
  }

  /**
   * One event, from the piece at hand or from the companion.
   * @param {string} event
   * @returns {Promise<Entry | null>}
   */
  lookUp(event) {
    const here = this.window.get(event);
    if (here) return Promise.resolve(here);
    let looked = this.#looked.get(event);
    if (!looked) {
      if (this.#looked.size > KNOWN_LIMIT) this.#looked.clear();
      looked = this.api.ask("read", { room: this.room, event }).then((page) => page.events[0] ?? null, () => {
        this.#looked.delete(event);
        return null;
      });
      this.#looked.set(event, looked);
    }
    return looked;
  }

  /**
   * The newest page that has anything. The companion looks through some thousand events at a time.
   * @param {number} generation
   */
  async #firstMatches(generation) {
    let page = await this.#read({});
    while (!page.events.length && page.next && generation === this.#generation) page = await this.#read({ before: page.next });
    return page;
  }

  /**
   * @param {Entry[]} entries
   * @param {string | null} older where it goes on
   * @param {string | null} newer
   */
  #begin(entries, older, newer) {
    this.window.reset(entries, { atStart: older === null, atEnd: newer === null });
    this.#olderFrom = older;
    this.#newerFrom = newer;
  }

  /** @param {"start" | "end"} edge */
  #trim(edge) {
    if (!this.window.trim(edge, LIMIT)) return;
    if (edge === "start") this.#olderFrom = null;
    else this.#newerFrom = null;
  }

  /**
   * @param {boolean} isFresh replaces whatever else is on its way
   * @param {() => Promise<() => void>} ask
   * @returns {Promise<boolean>} whether the piece changed
   */
  async #load(isFresh, ask) {
    if (isFresh) this.#generation += 1;
    const generation = this.#generation;
    this.isLoading = true;
    try {
      const apply = await ask();
      if (generation !== this.#generation) return false;
      apply();
      for (const entry of this.#meanwhile) if (this.#matches(entry)) this.window.insert(entry);
      return true;
    } catch (error) {
      // Nobody waits for it any more.
      if (generation !== this.#generation) return false;
      throw error;
    } finally {
      if (generation === this.#generation) {
        this.isLoading = false;
        this.#meanwhile = [];
      }
    }
  }

  /**
   * @param {{before?: string, after?: string, event?: string, limit?: number}} bounds
   * @returns {Promise<Page>}
   */
  #read(bounds) {
    const { query, kind, from } = this.filter;
    const narrow = bounds.event ? {} : { query: query || undefined, kind: kind || undefined, from: from || undefined };
    return this.api.ask("read", { room: this.room, limit: PAGE, ...narrow, ...bounds });
  }

  /** @param {Entry} entry */
  #matches(entry) {
    const { query, kind, from } = this.filter;
    if (kind && entry.kind !== kind) return false;
    if (from && ![entry.member, entry.name, entry.session, entry.session_name].includes(from)) return false;
    const text = `${entry.headline ?? ""} ${entry.text}`.toLowerCase();
    return query.toLowerCase().split(/\s+/).every((word) => text.includes(word));
  }

  /**
   * @param {string} question
   * @param {string} answer
   */
  #link(question, answer) {
    const entry = this.window.get(question);
    if (!entry || entry.answered_by?.includes(answer)) return;
    this.window.insert({ ...entry, answered_by: [...(entry.answered_by ?? []), answer] });
  }
}
