/** Whose turn it is to push, who waits for it, and how far agents have gone without a human. */

import { asRefused } from "./api.js";
import { openDialog } from "./dialog.js";
import { button, field, fill, h } from "./dom.js";
import { ago, fullTime } from "./time.js";

/** @import { Claim, Floor, Room } from "./types.js" */
/** @import { Store } from "./store.js" */

/**
 * @param {Store} store
 * @param {string} room
 */
export function openFloor(store, room) {
  if (document.querySelector("[data-testid=floor-dialog]")) return;
  new FloorDialog(store, room).draw();
}

/**
 * Who holds it, in a few words.
 * @param {Floor} floor
 * @param {Room} room
 */
export function holderOf(floor, room) {
  if (!floor.holder) return "nobody’s";
  const name = floor.holder === room.me.member ? "yours" : `${floor.holder_name ?? "somebody"}’s`;
  return floor.session_name ? `${name}, ${floor.session_name}` : name;
}

/**
 * How many messages of agents there were in a row, as dots and in words.
 * @param {Floor} floor
 */
export function hopsView({ hops, max_hops: most }) {
  const isFull = hops >= most;
  const dots = most <= 8 && h("span", { class: "hop-dots", "aria-hidden": "true" }, Array.from({ length: most }, (_, at) => h("i", { class: at < hops ? "is-used" : "" })));
  return h("span", { class: `hops ${isFull ? "is-full" : ""}`, "data-testid": "hops" }, dots, `${hops} of ${most} hops`);
}

class FloorDialog {
  #drawn = "";

  /**
   * @param {Store} store
   * @param {string} room
   */
  constructor(store, room) {
    this.store = store;
    this.room = room;
    this.view = openDialog({ title: "The floor", testid: "floor-dialog", className: "floor", isSticky: true });
    this.problem = h("p", { class: "refusal", role: "alert", "data-testid": "floor-refusal" });
    store.on("status", () => this.draw(), this.view.signal);
    this.reason = h("input", { maxlength: "200", autocomplete: "off", "data-testid": "floor-reason" });
    // How long a claim has to wait is told by the companion alone.
    const ticking = setInterval(() => this.#isWaiting && store.refresh(), 2_000);
    this.view.signal.addEventListener("abort", () => clearInterval(ticking));
  }

  get #isWaiting() {
    const room = this.store.room(this.room);
    return room?.floor?.waiting.some((claim) => claim.member === room.me.member);
  }

  draw() {
    const room = this.store.room(this.room);
    const floor = room?.floor;
    if (!room || !floor) return this.view.show(h("p", null, "Nothing is known of the floor of this room."));
    const drawn = JSON.stringify([floor, room.members.map(({ member, name, sessions }) => [member, name, sessions.length]), Math.floor(Date.now() / 60_000)]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const focused = this.view.dialog.contains(document.activeElement) ? document.activeElement?.getAttribute("data-testid") : null;
    this.view.show(h("p", null, "One at a time pushes: context, findings, reviews, decisions, code and requests. Chat, questions and answers are free."),
      this.#holder(floor, room), waitingList(floor.waiting, room), this.problem, this.#actions(floor, room), hopsNote(floor));
    if (focused) /** @type {HTMLElement | null} */ (this.view.dialog.querySelector(`[data-testid="${focused}"]`))?.focus();
  }

  /**
   * @param {Floor} floor
   * @param {Room} room
   */
  #holder(floor, room) {
    const isMine = floor.holder === room.me.member;
    const name = isMine ? "You hold it" : floor.holder ? [h("bdi", null, floor.holder_name), " holds it"] : "Nobody holds it";
    return h("p", { class: "floor-holder", "data-testid": "floor-holder", "data-member": floor.holder ?? "" }, h("b", null, name),
      floor.session_name ? [", with the session ", h("bdi", { class: "session" }, floor.session_name)] : floor.holder ? ", with whichever session pushes first" : ". Whoever claims it has it.");
  }

  /**
   * @param {Floor} floor
   * @param {Room} room
   */
  #actions(floor, room) {
    const isMine = floor.holder === room.me.member;
    const mine = floor.waiting.find((claim) => claim.member === room.me.member);
    const { reason } = this;
    const claim = (/** @type {Event} */ event) => {
      event.preventDefault();
      void this.#ask("claim_floor", { reason: reason.value.trim() || undefined });
    };
    if (!isMine) {
      const label = mine && mine.take_in_s === 0 ? "Take it" : mine ? "Claim it again" : "Claim it";
      return h("form", { on: { submit: claim } }, !mine && field("What for (optional)", reason),
        h("div", { class: "actions" }, h("button", { class: "primary", "data-testid": "floor-claim" }, label)));
    }
    const to = h("select", { "data-testid": "floor-to" }, h("option", { value: "" }, floor.waiting.length ? "whoever waits longest" : "nobody"),
      room.members.filter((member) => !member.me || member.sessions.length > 1).flatMap((member) => [
        member.me ? null : h("option", { value: member.member }, member.name),
        ...member.sessions.map((session) => h("option", { value: session.session }, member.me ? `your ${session.name}` : `${member.name}’s ${session.name}`)),
      ]));
    const give = (/** @type {Event} */ event) => {
      event.preventDefault();
      void this.#ask("yield_floor", { to: to.value || undefined });
    };
    return h("form", { on: { submit: give } }, field("Give it to", to),
      h("div", { class: "actions" }, h("button", { class: "primary", "data-testid": "floor-yield" }, "Give it away"),
        floor.waiting.length > 0 && button("Keep it", { "data-testid": "floor-keep", on: { click: claim } })));
  }

  /**
   * @param {string} ask
   * @param {Record<string, unknown>} question
   */
  async #ask(ask, question) {
    fill(this.problem);
    try {
      await this.store.api.ask(ask, { room: this.room, ...question });
    } catch (error) {
      const { failure } = asRefused(error);
      fill(this.problem, h("b", null, failure.message), " ", failure.next);
    }
    this.store.refresh();
  }
}

/**
 * @param {Claim[]} claims
 * @param {Room} room
 */
function waitingList(claims, room) {
  if (!claims.length) return null;
  return h("section", { class: "claims", "data-testid": "claims" }, h("h3", null, claims.length === 1 ? "One waits for it" : `${claims.length} wait for it`),
    h("ol", null, claims.map((claim) => h("li", null, h("b", null, claim.member === room.me.member ? "You" : h("bdi", null, claim.name)), " ", h("bdi", { class: "session" }, claim.session_name),
      h("time", { class: "hint", datetime: claim.since, title: fullTime(claim.since) }, ` ${ago(claim.since)}`),
      claim.reason && h("q", { class: "quote" }, claim.reason),
      claim.take_in_s !== null && claim.take_in_s > 0 && h("span", { class: "hint" }, `can be taken in ${claim.take_in_s} s if it stays unanswered`)))));
}

/** @param {Floor} floor */
function hopsNote(floor) {
  return h("p", { class: "hops-note" }, hopsView(floor), h("span", { class: "hint" }, floor.hops >= floor.max_hops
    ? "Agents wait for a human now. Whatever you write here lets them go on." : "messages of agents since a human did something. Then they wait for one."));
}
