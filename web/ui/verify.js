/** Comparing words: three to read out, three to type, between two people who hear each other's voice. */

import { asRefused } from "./api.js";
import { openDialog } from "./dialog.js";
import { button, field, fill, h } from "./dom.js";
import { icon } from "./icons.js";

/** @import { Failure, Member, Notice, Words } from "./types.js" */
/** @import { Store } from "./store.js" */

/** Refusals after which the same words are still good: something was mistyped. */
const MENDABLE = ["unusable_words", "own_words"];

/** The open dialog, by room and member: a notice may come while it is open. @type {Map<string, Verification>} */
const open = new Map();

/**
 * @param {Store} store
 * @param {string} room
 * @param {Member} member
 * @param {{begin?: boolean}} [how]
 */
export function openVerify(store, room, member, { begin = false } = {}) {
  if (open.has(room + member.member)) return;
  const verification = new Verification(store, room, member);
  if (begin) void verification.begin();
}

/**
 * @param {string} room
 * @param {string} member
 */
export function isVerifying(room, member) {
  return open.has(room + member);
}

class Verification {
  #isEntered = false;

  /**
   * @param {Store} store
   * @param {string} room
   * @param {Member} member
   */
  constructor(store, room, member) {
    this.store = store;
    this.room = room;
    this.member = member;
    this.view = openDialog({ title: `Compare words with ${member.name}`, testid: "verify-dialog", className: "verify" });
    open.set(room + member.member, this);
    this.view.signal.addEventListener("abort", () => open.delete(room + member.member));
    store.on("notice", (notice) => this.#notice(notice), this.view.signal);
    this.#introduce();
  }

  async begin() {
    this.store.alerts.settle(this.room, this.member.member);
    this.view.show(h("p", { class: "calling", role: "status" }, `Calling ${this.member.name}’s companion …`));
    await this.#ask({}, (words) => this.#words(words));
  }

  #introduce() {
    const { name } = this.member;
    this.view.show(
      h("p", null, `Call ${name}: by phone, by video, or across the table. Each of you reads three words out and types the three that they hear.`),
      h("p", null, `If they match, nobody stands between you: what you read here was written by ${name}’s companion, and only it can read what you send. Someone who had intercepted your invite would have other words.`),
      h("p", { class: "hint" }, "Don’t send the words in writing. Whoever can change what you write could change them too."),
      h("div", { class: "actions" }, button("Begin", { class: "primary", "data-testid": "verify-begin", on: { click: () => void this.begin() } })));
  }

  /**
   * @param {object} heard
   * @param {(words: Words) => void} next
   * @param {(failure: Failure) => boolean} [mend] says whether it took care of the failure
   */
  async #ask(heard, next, mend = () => false) {
    try {
      const words = await this.store.api.ask("verify", { room: this.room, member: this.member.member, ...heard });
      if (this.view.signal.aborted) return;
      if (words.verified) this.#verified();
      else next(words);
    } catch (error) {
      if (this.view.signal.aborted) return;
      const { failure } = asRefused(error);
      if (!mend(failure)) this.#failed(failure);
    }
  }

  /** @param {Words} words */
  #words(words) {
    if (!words.say.length) return this.#waiting();
    /** @type {HTMLInputElement[]} */
    const inputs = [0, 1, 2].map((at) => this.#input(at, () => inputs));
    const note = h("div", null);
    this.view.show(
      h("section", null, h("h3", null, "Read these out"),
        h("ol", { class: "say", "data-testid": "verify-say" }, words.say.map((word) => h("li", null, word)))),
      h("form", { on: { submit: (/** @type {Event} */ event) => {
        event.preventDefault();
        void this.#enter(inputs, note);
      } } }, h("h3", null, `Type what ${this.member.name} reads to you`),
      h("div", { class: "heard" }, inputs.map((input, at) => field(["First", "Second", "Third"][at], input))), note,
      h("div", { class: "actions" }, h("button", { class: "primary", "data-testid": "verify-enter" }, "These are the words"))));
    inputs[0].focus();
  }

  /**
   * @param {number} at
   * @param {() => HTMLInputElement[]} all
   */
  #input(at, all) {
    const input = h("input", {
      required: true, autocomplete: "off", autocapitalize: "none", spellcheck: "false", "data-testid": `verify-heard-${at + 1}`,
      on: { input: () => {
        // Typing all three into one field, or a space after a word, goes on in the next.
        const words = input.value.split(/\s+/);
        if (words.length < 2) return;
        const rest = all().slice(at);
        words.forEach((word, place) => rest[place] && (rest[place].value = word));
        rest[Math.min(words.length, rest.length) - 1].focus();
      } },
    });
    return input;
  }

  /**
   * @param {HTMLInputElement[]} inputs
   * @param {HTMLElement} note for what is wrong with them as long as nothing is lost
   */
  async #enter(inputs, note) {
    const heard = inputs.map((input) => input.value.trim().toLowerCase()).join(" ");
    this.#isEntered = true;
    await this.#ask({ heard }, () => this.#waiting(), (failure) => {
      if (!MENDABLE.includes(failure.rule)) return false;
      this.#isEntered = false;
      fill(note, h("p", { class: "refusal", role: "alert", "data-testid": "verify-note" }, h("b", null, failure.message), " ", failure.next));
      inputs[0].focus();
      inputs[0].select();
      return true;
    });
  }

  #waiting() {
    this.#isEntered = true;
    this.view.show(h("p", { role: "status", "data-testid": "verify-waiting" }, `Your words are right. Now ${this.member.name} has to type the three that you read out.`));
  }

  #verified() {
    this.store.refresh();
    this.view.show(
      h("div", { class: "verdict", role: "status", "data-testid": "verify-done" }, icon("verified"),
        h("p", null, h("b", null, "Verified."), ` You speak with ${this.member.name}, and nobody stands between you.`)),
      h("div", { class: "actions" }, button("Done", { class: "primary", on: { click: () => this.view.dialog.close() } })));
  }

  /** @param {Failure} failure */
  #failed(failure) {
    this.#isEntered = false;
    const isAway = failure.code === "peer_unreachable";
    this.view.show(
      h("div", { class: "verdict is-bad", role: "alert", "data-testid": isAway ? "verify-away" : "verify-failed" }, icon(isAway ? "people" : "alarm"),
        h("p", null, h("b", null, failure.message), " ", failure.rule === "wrong_words" ? "" : failure.next)),
      !isAway && failure.code === "refused" && h("p", null, "A misheard word is the usual cause. If it happens again, take it seriously: make a new invite and send it another way."),
      h("div", { class: "actions" }, button("Try again", { class: "primary", "data-testid": "verify-again", on: { click: () => void this.begin() } })));
  }

  /** @param {Notice} notice */
  #notice(notice) {
    if (notice.room !== this.room || notice.member !== this.member.member) return;
    if (notice.step === "verified") this.#verified();
    else if (notice.step === "verified_by_peer" && this.#isEntered) this.#verified();
    else if (notice.step === "failed") this.#failed({ code: "refused", rule: "", message: "The words did not match.", next: "Nothing was verified. Start again, and read slowly." });
  }
}
