/** One room as a column: its head, its transcript, its people, and the place to write. */

import { Banners } from "./banners.js";
import { BrainPanel } from "./brain-panel.js";
import { openCharter } from "./charter.js";
import { Composer } from "./composer.js";
import { ConsentBar } from "./consent-bar.js";
import { DaysPanel } from "./days-panel.js";
import { button, fill, h } from "./dom.js";
import { openExport } from "./export.js";
import { FilterBar } from "./filter-bar.js";
import { openFloor } from "./floor.js";
import { GitPanel } from "./git-panel.js";
import { openHandoff } from "./handoff.js";
import { icon } from "./icons.js";
import { openInvites } from "./invites.js";
import { LedgerPanel } from "./ledger-panel.js";
import { PeoplePanel } from "./people.js";
import { openQuarantine } from "./quarantine.js";
import { openRelays } from "./relays.js";
import { openReport } from "./report.js";
import { confirmLeave, openDiagnose, openRemove, openRename, openRenameSession } from "./room-actions.js";
import { STATES } from "./room-states.js";
import { Side } from "./side.js";
import { Transcript } from "./transcript.js";
import { openVerify } from "./verify.js";

/** @import { Entry, Member, Room } from "./types.js" */
/** @import { SideTab } from "./memory-types.js" */
/** @import { Store } from "./store.js" */

export class RoomColumn extends HTMLElement {
  #ended = new AbortController();
  #drawn = "";

  /**
   * @param {Store} store
   * @param {string} room
   * @param {{close: () => void, canClose: () => boolean, openRequest: (id?: string) => void}} hooks
   */
  constructor(store, room, hooks) {
    super();
    this.store = store;
    this.roomId = room;
    this.hooks = hooks;
    const { signal } = this.#ended;
    this.filterBar = new FilterBar(this.view?.title ?? "", (filter) => void this.transcript.narrow(filter));
    this.transcript = new Transcript(store, room, this.#transcriptHooks(), signal);
    this.composer = new Composer(store, room, {
      lookUp: (event) => this.transcript.pager.lookUp(event),
      sent: () => void this.transcript.toNewest(),
    }, signal);
    this.banners = new Banners(store, room, {
      verify: (member) => openVerify(store, room, member, { begin: true }),
      charter: () => this.openCharter(),
      request: () => hooks.openRequest(),
      goTo: (event) => void this.transcript.goTo(event),
      forkedBy: (member) => this.transcript.pager.window.entries.find((entry) => entry.forked && entry.member === member)?.event,
    }, signal);
    this.consent = new ConsentBar(store, room, { openRequest: () => hooks.openRequest() }, signal);
    this.head = h("header", { class: "room-head" });
    this.side = this.#makeSide(signal);
    this.state = h("div", { class: "room-state", hidden: true });
    this.#build();
    store.on("status", () => this.update(), signal);
  }

  get view() {
    return this.store.room(this.roomId);
  }

  /** The column is closed: nothing of it listens any more. */
  end() {
    this.#ended.abort();
    this.remove();
  }

  update() {
    const { view } = this;
    const { status } = this.store;
    if (!view || !status) return;
    this.side.look();
    // The minute is in it since the page says how long ago things were.
    const drawn = JSON.stringify([view, status.network, this.hooks.canClose(), Math.floor(Date.now() / 60_000)]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.setAttribute("aria-label", view.title);
    this.side.element.setAttribute("aria-label", `Beside ${view.title}`);
    this.#showHead(view);
    this.#showState(view);
    this.filterBar.offer(view.members);
    this.side.panels.people.refresh();
  }

  openSearch() {
    this.filterBar.open();
  }

  openInvites() {
    openInvites(this.store, this.roomId);
  }

  openCharter() {
    openCharter(this.store, this.roomId);
  }

  openFloor() {
    openFloor(this.store, this.roomId);
  }

  openQuarantine() {
    openQuarantine(this.store, this.roomId);
  }

  openRelays() {
    openRelays(this.store, this.roomId);
  }

  openHandoff() {
    void openHandoff(this.store, this.roomId);
  }

  openReport() {
    void openReport(this.store, this.roomId);
  }

  openExport() {
    openExport(this.store, this.roomId);
  }

  /**
   * Shows a tab of the side; hides the side where that tab is what it shows.
   * @param {SideTab} [tab]
   */
  toggleSide(tab = this.side.tab) {
    const isShown = this.side.isSeen && !this.side.inspected && this.side.tab === tab;
    this.#openSide(!isShown);
    if (isShown) return;
    this.side.show(tab);
    if (this.#isSideOver()) this.side.element.focus();
  }

  /**
   * Shows a tab of the side and goes there with the keyboard.
   * @param {SideTab} tab
   */
  openSide(tab) {
    this.toggleSide(tab);
    if (this.side.isSeen) this.side.focus();
  }

  /** Compares words with the first member who is not verified, or the first other one. */
  verifySomebody() {
    const others = this.view?.members.filter((member) => !member.me) ?? [];
    const member = others.find((other) => !other.verified) ?? others[0];
    if (member) openVerify(this.store, this.roomId, member);
  }

  leave() {
    confirmLeave(this.store, this.roomId, this.view?.title ?? "this room");
  }

  diagnose() {
    void openDiagnose(this.store, this.roomId, null);
  }

  renameMe() {
    const me = this.view?.me;
    if (me) openRename(this.store, this.roomId, { title: "Rename yourself", now: me.name });
  }

  /** @param {Entry} entry */
  inspect(entry) {
    this.#openSide(true);
    this.side.inspect(entry, { goTo: (event) => void this.#inspectOther(event), back: () => this.closeSide() });
  }

  /** Esc: closes what lies over the transcript. Says whether there was something. */
  closeSide() {
    const entry = this.side.inspected;
    if (!entry && !this.#isSideOver()) return false;
    this.side.show(this.side.tab);
    this.classList.remove("side-open");
    this.#announceSide();
    const article = entry && this.transcript.rows.article(entry.event);
    if (article) this.transcript.focusEntry(article);
    else /** @type {HTMLElement | null} */ (this.querySelector("[data-testid=toggle-people]"))?.focus();
    return true;
  }

  #build() {
    this.setAttribute("role", "region");
    this.setAttribute("data-testid", "room");
    this.setAttribute("data-room", this.roomId);
    this.append(this.head, this.consent, this.banners, this.filterBar,
      h("div", { class: "room-body" }, this.state, this.transcript, this.side.element), this.composer);
    this.transcript.addEventListener("pointerdown", () => this.#isSideOver() && this.closeSide());
    this.update();
    if (this.store.connection === "live") void this.transcript.open();
  }

  /** Whether the side lies over the transcript, as it does in a narrow column. */
  #isSideOver() {
    return this.classList.contains("side-open") && getComputedStyle(this.side.element).position === "absolute";
  }

  /** @param {boolean} isOpen */
  #openSide(isOpen) {
    this.classList.toggle("side-open", isOpen);
    this.classList.toggle("side-shut", !isOpen);
    this.#announceSide();
    this.side.look();
  }

  /** @param {string} event */
  #leaveFor(event) {
    if (this.#isSideOver()) this.closeSide();
    void this.transcript.goTo(event);
  }

  /** @param {AbortSignal} signal */
  #makeSide(signal) {
    const { store, roomId } = this;
    const hooks = { goTo: (/** @type {string} */ event) => this.#leaveFor(event), narrow: (/** @type {string} */ kind) => this.#narrow(kind) };
    return new Side(store, roomId, {
      people: new PeoplePanel(() => ({ view: this.view, status: store.status }), this.#peopleHooks()),
      ledger: new LedgerPanel(store, roomId, hooks),
      brain: new BrainPanel(store, roomId, hooks),
      days: new DaysPanel(store, roomId, hooks),
      git: new GitPanel(store, roomId, hooks),
    }, signal);
  }

  /** @param {string} kind */
  #narrow(kind) {
    if (this.#isSideOver()) this.closeSide();
    this.filterBar.pick(kind);
  }

  #announceSide() {
    this.querySelector("[data-testid=toggle-people]")?.setAttribute("aria-expanded", String(!this.classList.contains("side-shut") && this.side.isSeen));
  }

  /** @param {string} event */
  async #inspectOther(event) {
    await this.transcript.goTo(event, { focus: false });
    const entry = await this.transcript.pager.lookUp(event);
    if (entry) this.inspect(entry);
  }

  /** @param {Room} view */
  #showHead(view) {
    const others = view.members.filter((member) => !member.me);
    const waiting = view.waiting?.questions ?? 0;
    const focused = this.head.contains(document.activeElement) ? document.activeElement?.getAttribute("data-testid") : null;
    fill(this.head,
      button("", { class: "icon-button rail-toggle", "aria-label": "Rooms", "data-testid": "open-rail", popovertarget: "rail" }, icon("menu")),
      h("div", { class: "room-title" }, h("h2", { "data-testid": "room-title" }, view.title),
        h("p", { class: "hint", title: view.folder || false }, [presence(others), waiting ? `${waiting} open ${waiting === 1 ? "question" : "questions"}` : "", shortened(view.folder)].filter(Boolean)
          .flatMap((part, at) => [at > 0 && " · ", h("bdi", null, part)]))),
      h("div", { class: "room-tools" },
        button("", { class: "icon-button", "aria-label": "Search", title: "Search  /", "data-testid": "open-search", on: { click: () => this.openSearch() } }, icon("search")),
        view.state === "member" && button("", { class: "icon-button", "aria-label": "Invite", title: "Invite  i", "data-testid": "head-invite", on: { click: () => this.openInvites() } }, icon("invite")),
        button("", { class: "icon-button", "aria-label": "People and memory", title: "People and memory  p", "data-testid": "toggle-people", "aria-expanded": "true", on: { click: () => this.toggleSide() } }, icon("people")),
        this.hooks.canClose() && button("", { class: "icon-button", "aria-label": `Close ${view.title}`, "data-testid": "close-column", on: { click: this.hooks.close } }, icon("close"))));
    if (focused) /** @type {HTMLElement | null} */ (this.head.querySelector(`[data-testid="${focused}"]`))?.focus();
    this.#announceSide();
  }

  /** @param {Room} view */
  #showState(view) {
    const others = view.members.filter((member) => !member.me);
    const state = view.state === "member" ? (others.length ? null : STATES.alone) : STATES[view.state];
    this.state.hidden = !state;
    this.state.dataset.testid = `state-${view.state === "member" ? "alone" : view.state}`;
    if (!state) return;
    fill(this.state, h("h3", null, state.title), h("p", null, state.text),
      state === STATES.alone && button("Make an invite", { class: "primary", on: { click: () => this.openInvites() } }));
  }

  /** @returns {import("./transcript.js").TranscriptHooks} */
  #transcriptHooks() {
    return {
      inspect: (entry) => this.inspect(entry),
      answer: (entry) => this.composer.answer(entry),
      openRequest: (id) => this.hooks.openRequest(id),
      openArtifact: (id) => openQuarantine(this.store, this.roomId, id),
      clearFilter: () => this.filterBar.reset(),
    };
  }

  /** @returns {import("./people.js").PeopleHooks} */
  #peopleHooks() {
    const { store, roomId } = this;
    return {
      verify: (member) => openVerify(store, roomId, member),
      rename: () => this.renameMe(),
      remove: (member) => openRemove(store, roomId, member),
      renameSession: (session) => openRenameSession(store, roomId, session),
      diagnose: (member) => void openDiagnose(store, roomId, member),
      invite: () => this.openInvites(),
      relays: () => this.openRelays(),
    };
  }
}

/** @param {Member[]} others */
function presence(others) {
  if (!others.length) return "nobody else yet";
  const here = others.filter((member) => member.online);
  if (others.length > 4) return `${here.length} of ${others.length} others here`;
  return others.map((member) => `${member.name} ${member.online ? "here" : "away"}`).join(", ");
}

/**
 * The end of a path, which tells folders apart; the whole of it is in the title.
 * @param {string} folder
 */
function shortened(folder) {
  const parts = (folder ?? "").split("/").filter(Boolean);
  return parts.length > 2 ? `…/${parts.slice(-2).join("/")}` : folder;
}

customElements.define("pw-room", RoomColumn);
