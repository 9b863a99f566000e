/** Warnings and requests that stay until somebody has dealt with them, whichever room is on the screen, and over a reload. */

import { Emitter } from "./emitter.js";

/** @import { Alert, Notice } from "./types.js" */

const KEPT = "pairwave.alerts";
const LIMIT = 50;

/** @extends {Emitter<{changed: null, added: Alert}>} */
export class Alerts extends Emitter {
  /** @type {Alert[]} */
  #alerts = load();

  /** @param {string} room */
  of(room) {
    return this.#alerts.filter((alert) => alert.room === room);
  }

  /** @param {Alert} alert */
  dismiss(alert) {
    this.#keep(this.#alerts.filter((other) => other !== alert));
  }

  /** @param {Notice} notice */
  take(notice) {
    const { room, member = "" } = notice;
    if (notice.notice === "warning") this.#add({ kind: "warning", room, member, text: notice.text ?? "" });
    if (notice.notice === "join_refused") this.#add({ kind: "refused", room, member, text: `You were not let in: ${notice.reason ?? ""}` });
    if (notice.notice !== "verification") return;
    if (notice.step === "asked") this.#add({ kind: "asked", room, member, text: "" });
    if (notice.step === "verified" || notice.step === "failed") this.settle(room, member);
  }

  /**
   * Words are being compared with this member, or were.
   * @param {string} room
   * @param {string} member
   */
  settle(room, member) {
    this.#keep(this.#alerts.filter((alert) => !(alert.kind === "asked" && alert.room === room && alert.member === member)));
  }

  /** @param {Alert} alert */
  #add(alert) {
    const isKnown = this.#alerts.some((other) => other.kind === alert.kind && other.room === alert.room && other.member === alert.member && other.text === alert.text);
    if (isKnown) return;
    this.#keep([...this.#alerts, alert].slice(-LIMIT));
    this.emit("added", alert);
  }

  /** @param {Alert[]} alerts */
  #keep(alerts) {
    if (alerts.length === this.#alerts.length && alerts.every((alert, at) => alert === this.#alerts[at])) return;
    this.#alerts = alerts;
    sessionStorage.setItem(KEPT, JSON.stringify(alerts));
    this.emit("changed", null);
  }
}

/** @returns {Alert[]} */
function load() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(kept) ? kept : [];
  } catch {
    return [];
  }
}
