/** Who is in the room, how each is connected, and what waits for whoever is away. */

import { button, fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { ago, fullTime, since } from "./time.js";

/** @import { Member, Path, Room, Session, Status } from "./types.js" */

/** @type {Record<Path, string>} */
const PATHS = { lan: "same network", direct: "direct", relayed: "through a relay", none: "not connected" };

/** @typedef {{view: Room | undefined, status: Status | null}} Seen */

/**
 * @typedef {object} PeopleHooks
 * @property {(member: Member) => void} verify
 * @property {(member: Member) => void} rename
 * @property {(member: Member) => void} remove
 * @property {(session: Session) => void} renameSession
 * @property {(member: Member | null) => void} diagnose
 * @property {() => void} invite
 * @property {() => void} relays
 */

export class PeoplePanel {
  element = h("div", null);

  /**
   * @param {() => Seen} seen
   * @param {PeopleHooks} hooks
   */
  constructor(seen, hooks) {
    this.seen = seen;
    this.hooks = hooks;
  }

  refresh() {
    const { view, status } = this.seen();
    if (view && status) showPeople(this.element, view, status, this.hooks);
  }
}

/**
 * @param {HTMLElement} panel
 * @param {Room} room
 * @param {Status} status
 * @param {PeopleHooks} hooks
 */
function showPeople(panel, room, status, hooks) {
  const focused = panel.contains(document.activeElement) ? document.activeElement?.getAttribute("data-focus") : null;
  const isUnfolded = panel.querySelector("details")?.open ?? false;
  const members = [...room.members].sort((a, b) => Number(b.me) - Number(a.me) || Number(b.online) - Number(a.online));
  const isMember = room.state === "member";
  fill(panel,
    h("ul", { class: "people", "data-testid": "members" }, members.map((member) => memberCard(member, hooks, isMember))),
    isMember && button("Invite somebody", { class: "wide", "data-testid": "open-invites", "data-focus": "invite", on: { click: hooks.invite } }, icon("invite")),
    companionCard(status, hooks, isMember, isUnfolded));
  // The panel is drawn anew on each status; whoever was on a button stays there.
  if (focused) /** @type {HTMLElement | null} */ (panel.querySelector(`[data-focus="${CSS.escape(focused)}"]`))?.focus();
}

/**
 * @param {Member} member
 * @param {PeopleHooks} hooks
 * @param {boolean} isMember
 */
function memberCard(member, hooks, isMember) {
  return h("li", { class: "member", "data-testid": "member", "data-member": member.member, "data-online": String(member.online), "data-path": member.path },
    h("div", { class: "member-head" },
      h("span", { class: `presence ${member.online ? "is-online" : ""}`, "aria-hidden": "true" }),
      h("h3", null, member.name), member.me && h("span", { class: "hint" }, "you"),
      verifiedBadge(member)),
    member.equivocated && h("p", { class: "alarm-note", "data-testid": "equivocated" }, icon("alarm"), "This key signed two events in one place: somebody holds a copy of it."),
    member.me ? null : connection(member),
    member.pending > 0 && h("p", { class: "pending", "data-testid": "pending" }, waitingFor(member)),
    h("ul", { class: "sessions" }, member.sessions.map((session) => sessionLine(session, member, hooks, isMember))),
    isMember && memberTools(member, hooks));
}

/** @param {Member} member */
function verifiedBadge(member) {
  if (member.me) return null;
  if (!member.verified) return h("span", { class: "badge", "data-testid": "unverified" }, icon("shield"), "not verified");
  const by = member.verified_by && member.verified_by !== "you" ? `through ${member.verified_by}` : "by you";
  return h("span", { class: "badge is-verified", "data-testid": "verified" }, icon("verified"), `verified ${by}`);
}

/** @param {Member} member */
function connection(member) {
  if (!member.online) {
    const seen = member.last_seen;
    return h("p", { class: "connection", "data-testid": "connection" },
      seen ? h("time", { datetime: seen, title: fullTime(seen) }, `away since ${since(seen)}, ${ago(seen)}`) : "not seen yet");
  }
  const details = [PATHS[member.path], member.rtt_ms === null || member.rtt_ms === undefined ? "" : `${Math.round(member.rtt_ms)} ms`].filter(Boolean);
  return h("p", { class: "connection", "data-testid": "connection" }, details.join(", "),
    member.address && h("code", { class: "address" }, member.address),
    member.why && h("span", { class: "hint", "data-testid": "why-relayed" }, `${member.why}.`));
}

/** @param {Member} member */
function waitingFor(member) {
  const what = member.pending === 1 ? "1 of your messages waits" : `${member.pending} of your messages wait`;
  return member.online ? `${what}, on the way` : `${what} until ${member.name} is back`;
}

/**
 * @param {Session} session
 * @param {Member} member
 * @param {PeopleHooks} hooks
 * @param {boolean} isMember
 */
function sessionLine(session, member, hooks, isMember) {
  // Whether a human looks is told by nobody; their companion's presence stands above.
  const isAway = session.origin === "agent" && session.status !== "online";
  return h("li", { class: `session-line ${isAway ? "is-offline" : ""}`, "data-testid": "session", "data-session": session.session, "data-status": session.status },
    h("span", { class: "face", "aria-hidden": "true", vars: { "--session": session.color } }, session.emoji),
    h("span", { class: "session-text" }, h("i", null, session.name), h("span", { class: "hint" }, session.origin === "agent" ? ` agent, ${session.status}` : " human"),
      session.live_until && h("span", { class: "summary", "data-testid": "live-mode" }, liveMode(session, session.live_until)),
      session.summary && h("span", { class: "summary" }, session.summary)),
    member.me && isMember && button("", { class: "icon-button small", "aria-label": `Rename session ${session.name}`, "data-testid": "rename-session", "data-focus": `rename-${session.session}`, on: { click: () => hooks.renameSession(session) } }, icon("pen")));
}

/**
 * @param {Session} session
 * @param {string} until
 */
function liveMode({ wakes }, until) {
  const cost = wakes === 0 ? "not woken yet" : wakes === 1 ? "woken once" : `woken ${wakes} times`;
  return `in live mode until ${since(until)}, ${cost}`;
}

/**
 * @param {Member} member
 * @param {PeopleHooks} hooks
 */
function memberTools(member, hooks) {
  const key = (/** @type {string} */ name) => ({ "data-focus": `${name}-${member.member}` });
  if (member.me) return h("div", { class: "member-tools" }, button("Rename yourself", { class: "quiet", "data-testid": "rename-me", ...key("rename"), on: { click: () => hooks.rename(member) } }));
  return h("div", { class: "member-tools" },
    button("Compare words", { class: member.verified ? "quiet" : "", "data-testid": "verify", "aria-label": `Compare words with ${member.name}`, ...key("verify"), on: { click: () => hooks.verify(member) } }),
    button("Diagnose", { class: "quiet", "data-testid": "diagnose", "aria-label": `Diagnose the connection to ${member.name}`, ...key("diagnose"), on: { click: () => hooks.diagnose(member) } }),
    button("Remove", { class: "quiet", "data-testid": "remove", "aria-label": `Remove ${member.name}`, ...key("remove"), on: { click: () => hooks.remove(member) } }));
}

/**
 * @param {Status} status
 * @param {PeopleHooks} hooks
 * @param {boolean} isMember
 * @param {boolean} isUnfolded
 */
function companionCard(status, hooks, isMember, isUnfolded) {
  const { listening, reachability, nat, mdns, relays } = status.network;
  return h("section", { class: "companion", "data-testid": "companion" }, h("h3", null, "Your companion"),
    h("p", null, [`version ${status.version}`, reachability && `reachability ${reachability}`, mdns ? "finds others on this network" : "does not look around on this network",
      relays.length ? `${relays.filter((relay) => relay.reserved).length} of ${relays.length} relays` : ""].filter(Boolean).join(", ")),
    h("details", { open: isUnfolded }, h("summary", null, `Listens at ${listening.length} ${listening.length === 1 ? "address" : "addresses"}`),
      h("ul", null, listening.map((address) => h("li", null, h("code", { class: "address" }, address))))),
    relays.some((relay) => relay.token_refused) && h("p", { class: "hint", "data-testid": "token-refused" }, "The token that is named for a relay does not count there: see Relays."),
    nat && h("p", { class: "hint", "data-testid": "nat" }, nat),
    h("div", { class: "member-tools" },
      isMember && button("Relays", { class: "quiet", "data-testid": "open-relays", "data-focus": "relays", on: { click: hooks.relays } }),
      button("Diagnose", { class: "quiet", "data-focus": "diagnose-all", on: { click: () => hooks.diagnose(null) } })));
}
