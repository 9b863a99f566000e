/** What must not be overlooked in a room: alarms, warnings, and somebody who wants to compare words. */

import { button, h } from "./dom.js";
import { icon } from "./icons.js";
import { nextStep } from "./next-step.js";
import { toast } from "./toast.js";
import { isVerifying } from "./verify.js";

/** @import { Alert, Member } from "./types.js" */
/** @import { Store } from "./store.js" */

export class Banners extends HTMLElement {
  /** One of the two events that prove it, by member. @type {Map<string, string>} */
  #forked = new Map();
  #drawn = "";
  #drawnStep = "";
  /** Next steps that were put off. @type {Set<string>} */
  #putOff = new Set();
  /** The banner of each alert, kept so that a live region speaks once. @type {Map<Alert, HTMLElement>} */
  #shown = new Map();

  /**
   * @param {Store} store
   * @param {string} room
   * @param {{verify: (member: Member) => void, charter: () => void, request: () => void, goTo: (event: string) => void, forkedBy: (member: string) => string | undefined}} hooks
   * @param {AbortSignal} signal
   */
  constructor(store, room, hooks, signal) {
    super();
    this.store = store;
    this.roomId = room;
    this.hooks = hooks;
    this.alarms = h("div", null);
    this.others = h("div", null);
    this.step = h("div", null);
    this.append(this.alarms, this.others, this.step);
    store.alerts.on("changed", () => this.#showAlerts(), signal);
    store.on("status", () => this.#update(), signal);
    store.on("entry", ({ entry }) => {
      if (entry.room === room && entry.forked) this.#forked.set(entry.member, entry.event);
    }, signal);
    store.requests.on("changed", () => this.#showStep(), signal);
    this.#update();
  }

  /** What is to be done before agents may do more than talk, or what waits for a yes. */
  #showStep() {
    const room = this.store.room(this.roomId);
    const step = room ? nextStep(room, this.store.requests.pending(this.roomId)) : null;
    const isShown = step !== null && !this.#putOff.has(step.id);
    const drawn = isShown ? JSON.stringify([step.id, step.text, step.action]) : "";
    if (drawn === this.#drawnStep) return;
    this.#drawnStep = drawn;
    if (!step || !isShown) return this.step.replaceChildren();
    const go = { verify: () => step.member && this.hooks.verify(step.member), charter: this.hooks.charter, request: this.hooks.request }[step.goes];
    this.step.replaceChildren(h("div", { class: `banner ${step.goes === "request" ? "is-asking" : "is-step"}`, role: "status", "data-testid": "next-step", "data-step": step.goes },
      icon("shield"), h("p", null, step.text),
      button(step.action, { class: "primary", "data-testid": "next-step-go", on: { click: go } }),
      button("", { class: "icon-button small", "aria-label": "Not now", "data-testid": "dismiss", on: { click: () => {
        this.#putOff.add(step.id);
        this.#showStep();
      } } }, icon("close"))));
  }

  #update() {
    const forked = (this.store.room(this.roomId)?.members ?? []).filter((member) => member.equivocated);
    const drawn = JSON.stringify(forked.map((member) => [member.member, member.name]));
    if (drawn !== this.#drawn) this.alarms.replaceChildren(...forked.map((member) => this.#alarm(member)));
    this.#drawn = drawn;
    this.#showAlerts();
    this.#showStep();
  }

  /** @param {Member} member */
  #alarm(member) {
    const who = member.me ? "Your key" : `${member.name}’s key`;
    return h("div", { class: "banner is-alarm", role: "alert", "data-testid": "equivocation-banner", "data-member": member.member }, icon("alarm"),
      h("p", null, h("b", null, `${who} exists twice.`), " Two events were signed in one place of the log. Somebody holds a copy of that key, or an old backup was started. Trust nothing under this name before you have spoken."),
      button("Show it", { "data-testid": "show-fork", on: { click: () => {
        const event = this.hooks.forkedBy(member.member) ?? this.#forked.get(member.member);
        if (event) this.hooks.goTo(event);
        else toast("The two events stand farther up. They are marked in red.");
      } } }));
  }

  #showAlerts() {
    const alerts = this.store.alerts.of(this.roomId);
    for (const [alert, banner] of this.#shown) {
      if (alerts.includes(alert)) continue;
      banner.remove();
      this.#shown.delete(alert);
    }
    for (const alert of alerts) {
      if (this.#shown.has(alert)) continue;
      const banner = alert.kind === "asked" ? this.#asked(alert) : this.#banner(alert, "is-warning", `${alert.kind === "refused" ? "join-refused" : "warning"}-banner`, alert.text);
      if (!banner) continue;
      this.#shown.set(alert, banner);
      this.others.append(banner);
    }
  }

  /** @param {Alert} alert */
  #asked(alert) {
    const member = this.store.room(this.roomId)?.members.find((known) => known.member === alert.member);
    if (!member || isVerifying(this.roomId, alert.member)) return null;
    const go = button("Compare words", { class: "primary", "data-testid": "verify-asked-accept", on: { click: () => {
      this.store.alerts.settle(alert.room, alert.member);
      this.hooks.verify(member);
    } } });
    return this.#banner(alert, "is-asking", "verify-asked", `${member.name} wants to compare words with you. Do it while you hear each other.`, go);
  }

  /**
   * @param {Alert} alert
   * @param {string} look
   * @param {string} testid
   * @param {string} text
   * @param {HTMLElement} [action]
   */
  #banner(alert, look, testid, text, action) {
    return h("div", { class: `banner ${look}`, role: look === "is-warning" ? "alert" : "status", "data-testid": testid },
      icon(look === "is-warning" ? "alarm" : "shield"), h("p", null, text), action,
      button("", { class: "icon-button small", "aria-label": "Dismiss", "data-testid": "dismiss", on: { click: () => this.store.alerts.dismiss(alert) } }, icon("close")));
  }
}

customElements.define("pw-banners", Banners);
