/** Moments in words. */

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat("en", { weekday: "long", day: "numeric", month: "long" });
const dayWithYear = new Intl.DateTimeFormat("en", { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const month = new Intl.DateTimeFormat("en", { month: "long", year: "numeric" });
const full = new Intl.DateTimeFormat("en", { dateStyle: "long", timeStyle: "medium", hourCycle: "h23" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60]];

/** @param {string} at RFC 3339 */
export function clockTime(at) {
  return clock.format(new Date(at));
}

/** @param {string} at */
export function dayKey(at) {
  return new Date(at).toDateString();
}

/** @param {string} at */
export function dayName(at) {
  const date = new Date(at);
  const key = date.toDateString();
  const now = new Date();
  if (key === now.toDateString()) return "Today";
  now.setDate(now.getDate() - 1);
  if (key === now.toDateString()) return "Yesterday";
  return (date.getFullYear() === new Date().getFullYear() ? day : dayWithYear).format(date);
}

/** @param {string} at */
export function monthName(at) {
  return month.format(new Date(at));
}

/** @param {string} at */
export function fullTime(at) {
  return full.format(new Date(at));
}

/** @param {string} at */
export function ago(at) {
  const seconds = (Date.parse(at) - Date.now()) / 1000;
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit);
  }
  return seconds > 0 ? "in a moment" : "just now";
}

/** What says how long ago things were is drawn anew with it. */
export function minute() {
  return Math.floor(Date.now() / 60_000);
}

/** @param {string} at since when, as one reads it: a time today, else a date and a time */
export function since(at) {
  return dayKey(at) === new Date().toDateString() ? clockTime(at) : `${dayName(at)}, ${clockTime(at)}`;
}
