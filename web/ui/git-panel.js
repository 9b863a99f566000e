/** Git side by side: who works where and on which paths, where two got in each other's way, and what there is to pull. */

import { asRefused } from "./api.js";
import { button, fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { ago, fullTime, minute } from "./time.js";
import { toast, toastFailure } from "./toast.js";

/** @import { Git, GitCommit, GitConflict, GitSide, PanelHooks, PathClaim } from "./memory-types.js" */
/** @import { Store } from "./store.js" */

/** Files of a commit before the rest is a number. */
const FILES = 4;
const STRATEGIES = { branch_per_person: "a branch per person", shared_branch: "one branch for all" };

export class GitPanel {
  #drawn = "";
  element = h("div", null);
  body = h("div", { class: "ledger", "data-testid": "git" });

  /**
   * @param {Store} store
   * @param {string} room
   * @param {PanelHooks} hooks
   */
  constructor(store, room, hooks) {
    this.store = store;
    this.room = room;
    this.hooks = hooks;
    this.element.append(this.body);
  }

  async refresh() {
    try {
      this.#draw(await this.store.api.ask("show_git", { room: this.room }));
    } catch (error) {
      const { failure } = asRefused(error);
      if (!this.body.childElementCount) fill(this.body, h("p", { class: "quiet-note" }, failure.message));
    }
  }

  /** @param {Git} git */
  #draw(git) {
    const drawn = JSON.stringify([git, minute()]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const { sides, claims, conflicts, commits, pull, warnings } = git;
    const focused = this.body.contains(document.activeElement) ? document.activeElement?.getAttribute("data-focus") : null;
    const toPull = commits.filter((commit) => commit.to_pull);
    fill(this.body,
      warnings.length > 0 && h("ul", { class: "git-warnings", "data-testid": "git-warnings" }, warnings.map((warning) => h("li", null, icon("alarm"), h("bdi", null, warning)))),
      pull && h("p", { class: "git-pull", "data-testid": "git-pull" }, icon("down"), h("bdi", null, pull.text)),
      conflicts.length > 0 && section("conflicts", "In each other’s way", conflicts.length, conflicts.map((conflict) => this.#conflict(conflict))),
      section("claims", "Claimed paths", claims.length, claims.map((claim) => this.#claim(claim)),
        "None. An agent claims the paths it works on with pair_git, a person with `pairwave git claim`; then nobody else is to edit them."),
      section("commits", "To pull", toPull.length, toPull.map((commit) => this.#commit(commit)),
        "Nothing. Commits that the others announce stand here until your side has them."),
      section("sides", "Where everybody works", 0, sides.map((side) => this.#side(side)),
        "Nobody has said. `pairwave git setup` or pair_git names repository and branch."));
    if (focused) /** @type {HTMLElement | null} */ (this.body.querySelector(`[data-focus="${CSS.escape(focused)}"]`))?.focus({ preventScroll: true });
  }

  /** @param {GitConflict} conflict */
  #conflict({ event, kind, text, against, against_name }) {
    const holds = kind === "ended" ? `${against_name} ended it` : `${against_name}’s claim holds`;
    return h("div", { class: "git-conflict", "data-testid": "git-conflict", "data-event": event, "data-kind": kind },
      line(event, this.hooks.goTo, "conflict", h("span", { class: "ledger-text" }, h("bdi", null, text))),
      h("p", { class: "ledger-by" }, button(holds, { class: "link", "data-focus": `against-${event}`, on: { click: () => this.hooks.goTo(against) } })));
  }

  /** @param {PathClaim} claim */
  #claim(claim) {
    return h("div", { class: `git-claim ${claim.me ? "is-mine" : ""}`, "data-testid": "git-claim", "data-claim": claim.claim },
      line(claim.claim, this.hooks.goTo, "claim",
        h("span", { class: "git-paths" }, claim.paths.map((path) => h("code", null, path))),
        claim.note && h("bdi", { class: "ledger-text" }, claim.note),
        h("span", { class: "ledger-by" }, h("bdi", null, claim.me ? "you" : claim.name), ", ", h("bdi", null, claim.session_name), " · ", h("time", { datetime: claim.since, title: fullTime(claim.since) }, ago(claim.since)))),
      claim.me && button("Release", { class: "quiet", "data-testid": "git-release", "aria-label": `Release ${claim.paths.join(", ")}`, "data-focus": `release-${claim.claim}`, on: { click: () => void this.#release(claim) } }));
  }

  /** @param {GitCommit} commit */
  #commit({ event, sha, message, branch, paths, name, at }) {
    const files = paths.slice(0, FILES).join(", ") + (paths.length > FILES ? ` and ${paths.length - FILES} more` : "");
    return h("div", { "data-testid": "git-commit", "data-event": event }, line(event, this.hooks.goTo, "commit",
      h("bdi", { class: "ledger-text" }, message),
      files && h("span", { class: "git-files" }, h("bdi", null, files)),
      h("span", { class: "ledger-by" }, h("code", null, sha.slice(0, 10)), branch && [" on ", h("bdi", null, branch)], " · ", h("bdi", null, name), " · ", h("time", { datetime: at, title: fullTime(at) }, ago(at)))));
  }

  /** @param {GitSide} side */
  #side({ event, name, me, repo, branch, base_commit, strategy, at }) {
    return h("div", { "data-testid": "git-side", "data-event": event }, line(event, this.hooks.goTo, "side",
      h("span", { class: "ledger-text" }, h("bdi", null, me ? "You" : name), " on ", h("bdi", { class: "git-branch" }, branch), base_commit && [", with ", h("code", null, base_commit.slice(0, 10))]),
      h("span", { class: "git-files" }, h("bdi", null, repo)),
      h("span", { class: "ledger-by" }, STRATEGIES[strategy] ?? strategy, " · ", h("time", { datetime: at, title: fullTime(at) }, ago(at)))));
  }

  /** @param {PathClaim} claim */
  async #release({ paths }) {
    try {
      this.#draw(await this.store.api.ask("release_paths", { room: this.room, paths }));
      toast("Released. Others may claim it now.");
    } catch (error) {
      toastFailure(error);
    }
  }
}

/**
 * @param {string} id
 * @param {string} title
 * @param {number} count
 * @param {HTMLElement[]} items
 * @param {string} [empty] what would put something there
 */
function section(id, title, count, items, empty) {
  return h("section", { class: "ledger-section", "data-testid": `git-${id}` }, h("h3", null, title, count > 0 && h("span", { class: "tally" }, String(count))),
    items.length > 0 ? h("ul", { class: "ledger-lines" }, items.map((item) => h("li", null, item))) : h("p", { class: "empty-note" }, empty));
}

/**
 * A line that leads to an event.
 * @param {string} event
 * @param {(event: string) => void} goTo
 * @param {string} key
 * @param {...import("./dom.js").Child} children
 */
function line(event, goTo, key, ...children) {
  return h("button", { type: "button", class: "ledger-line", "data-focus": `${key}-${event}`, on: { click: () => goTo(event) } }, ...children);
}
