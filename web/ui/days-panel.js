/** The room's days: how much was said on each, and the way there. */

import { asRefused } from "./api.js";
import { fill, h } from "./dom.js";
import { dayName, minute, monthName } from "./time.js";

/** @import { Day, Days, PanelHooks } from "./memory-types.js" */
/** @import { Store } from "./store.js" */

/** What is told of a day beside its messages, where there was any of it: one, and many. */
const SORTS = { questions: ["question", "questions"], decisions: ["decision", "decisions"], requests: ["request", "requests"], artifacts: ["shared", "shared"], remembered: ["remembered", "remembered"] };

export class DaysPanel {
  element = h("div", null);
  #drawn = "";
  list = h("div", { class: "days", "data-testid": "days" });

  /**
   * @param {Store} store
   * @param {string} room
   * @param {PanelHooks} hooks
   */
  constructor(store, room, hooks) {
    this.store = store;
    this.room = room;
    this.hooks = hooks;
    this.element.append(this.list);
  }

  async refresh() {
    try {
      this.#draw(await this.#ask());
    } catch (error) {
      const { failure } = asRefused(error);
      if (!this.list.childElementCount) fill(this.list, h("p", { class: "quiet-note" }, failure.message));
    }
  }

  /** @returns {Promise<Days>} */
  async #ask() {
    const { room } = this;
    try {
      return await this.store.api.ask("days", { room, zone: Intl.DateTimeFormat().resolvedOptions().timeZone });
    } catch (error) {
      // The companion's machine may know less of the world than the browser.
      if (asRefused(error).failure.rule !== "no_such_zone") throw error;
      return this.store.api.ask("days", { room, zone: offsetNow() });
    }
  }

  /** @param {Days} days */
  #draw({ days, earlier }) {
    const drawn = JSON.stringify([days, earlier, minute()]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const focused = this.list.contains(document.activeElement) ? document.activeElement?.getAttribute("data-day") : null;
    const most = Math.max(1, ...days.map(({ counts }) => counts.messages ?? 0));
    fill(this.list,
      !days.length && h("p", { class: "empty-note" }, "None yet. Each day on which something happens stands here, and leads to where it begins."),
      byMonth(days).map(([month, some]) => h("section", null, h("h3", null, month), h("ol", { class: "day-lines", reversed: true }, some.map((day) => this.#day(day, most))))),
      earlier > 0 && h("p", { class: "empty-note" }, `${earlier.toLocaleString("en")} earlier ${earlier === 1 ? "day is" : "days are"} in the transcript alone.`));
    if (focused) /** @type {HTMLElement | null} */ (this.list.querySelector(`[data-day="${focused}"]`))?.focus({ preventScroll: true });
  }

  /**
   * @param {Day} day
   * @param {number} most messages of any day
   */
  #day({ day, event, counts }, most) {
    const messages = counts.messages ?? 0;
    return h("li", null, h("button", { type: "button", class: "day-line", "data-testid": "day", "data-day": day, "data-messages": String(messages), on: { click: () => this.hooks.goTo(event) } },
      h("span", { class: "day-name" }, dayName(`${day}T12:00:00`)),
      h("span", { class: "day-count" }, messages ? `${messages.toLocaleString("en")} ${messages === 1 ? "message" : "messages"}` : "no messages"),
      h("span", { class: "day-bar", "aria-hidden": "true", vars: { "--share": String(messages / most) } }),
      h("span", { class: "day-sorts" }, told(counts).map((part) => h("span", null, part)))));
  }
}

/** @param {Record<string, number>} counts */
function told(counts) {
  return Object.entries(SORTS).flatMap(([sort, [one, many]]) => (counts[sort] ? [`${counts[sort]} ${counts[sort] === 1 ? one : many}`] : []));
}

/**
 * @param {Day[]} days newest first
 * @returns {[string, Day[]][]}
 */
function byMonth(days) {
  /** @type {Map<string, Day[]>} */
  const months = new Map();
  for (const day of days) {
    const month = monthName(`${day.day}T12:00:00`);
    months.set(month, [...(months.get(month) ?? []), day]);
  }
  return [...months];
}

function offsetNow() {
  const minutes = -new Date().getTimezoneOffset();
  const part = (/** @type {number} */ number) => String(Math.floor(Math.abs(number))).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${part(minutes / 60)}:${part(minutes % 60)}`;
}
