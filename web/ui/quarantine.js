/** What members shared, as it lies here: inert, with its dangers before anything else. */

import { openDialog } from "./dialog.js";
import { diffView } from "./diff-view.js";
import { button, copy, fill, h } from "./dom.js";
import { Emitter } from "./emitter.js";
import { bodyOf } from "./html.js";
import { icon } from "./icons.js";
import { patchView } from "./patch-view.js";
import { dangerList } from "./payload-view.js";
import { countUnseen, revealed } from "./reveal.js";
import { ago, fullTime } from "./time.js";
import { toast, toastFailure } from "./toast.js";

/** @import { Artifact, ArtifactView } from "./types.js" */
/** @import { Store } from "./store.js" */

const STATES = { fetching: "on its way", waiting: "not here yet", complete: "here", removed: "removed from this machine", broken: "broken" };

/** @extends {Emitter<{changed: {room: string, items: Artifact[]}}>} */
export class Shared extends Emitter {
  /** @type {Map<string, Artifact[]>} */
  #known = new Map();

  /** @param {Store} store */
  constructor(store) {
    super();
    this.store = store;
    store.on("entry", ({ entry }) => { if (entry.kind === "code") void this.look(entry.room); });
    store.on("notice", ({ notice, room }) => { if (notice === "artifact") void this.look(room); });
  }

  /**
   * @param {string} room
   * @returns {Promise<Artifact[]>} newest first
   */
  async look(room) {
    const { items } = await this.store.api.ask("list_artifacts", { room }).catch(() => ({ items: [] }));
    this.#known.set(room, items);
    this.emit("changed", { room, items });
    return items;
  }

  /**
   * What was there when somebody looked last.
   * @param {string} room
   */
  known(room) {
    return this.#known.get(room) ?? [];
  }

  /**
   * @param {string} room
   * @param {string} artifact
   * @returns {Promise<ArtifactView>}
   */
  show(room, artifact) {
    return this.store.api.ask("show_artifact", { room, artifact });
  }
}

/**
 * @param {Store} store
 * @param {string} room
 * @param {string} [artifact] opens at this one
 */
export function openQuarantine(store, room, artifact) {
  if (document.querySelector("[data-testid=quarantine-dialog]")) return;
  const browser = new Browser(store, room);
  if (artifact) void browser.show(artifact);
  else void browser.list();
}

class Browser {
  /** @type {string | null} */
  #shown = null;

  /**
   * @param {Store} store
   * @param {string} room
   */
  constructor(store, room) {
    this.store = store;
    this.room = room;
    this.view = openDialog({ title: "Quarantine", testid: "quarantine-dialog", className: "quarantine", isSticky: true });
    this.view.show(h("p", { role: "status" }, "Looking …"));
    store.shared.on("changed", (changed) => { if (changed.room === room && !this.#shown) this.#draw(changed.items); }, this.view.signal);
  }

  async list() {
    this.#shown = null;
    this.#draw(await this.store.shared.look(this.room));
  }

  /** @param {string} artifact */
  async show(artifact) {
    this.#shown = artifact;
    try {
      const view = await this.store.shared.show(this.room, artifact);
      if (this.#shown === artifact && !this.view.signal.aborted) this.#detail(view);
    } catch (error) {
      toastFailure(error);
      if (!this.view.signal.aborted) void this.list();
    }
  }

  /** @param {Artifact[]} items */
  #draw(items) {
    if (this.view.signal.aborted) return;
    this.view.show(h("p", null, "Code and patches of this room. They lie on your machine as plain files that nothing executes, under names of ours."),
      items.length === 0 ? h("p", { class: "quiet-note" }, "Nobody has shared anything yet.") : h("ul", { class: "artifacts" }, items.map((item) => this.#row(item))));
  }

  /** @param {Artifact} item */
  #row(item) {
    const share = item.size ? Math.round((100 * item.progress) / item.size) : 100;
    return h("li", { "data-testid": "artifact", "data-artifact": item.id, "data-state": item.state },
      h("button", { type: "button", class: "artifact", "data-testid": "artifact-open", on: { click: () => void this.show(item.id) } },
        icon("box"),
        h("span", { class: "artifact-name" }, h("b", null, revealed(item.headline)), byline(item)),
        item.warnings.length > 0 && h("span", { class: "mark danger-mark", "data-testid": "danger-mark" }, icon("alarm"), item.warnings.length === 1 ? "1 warning" : `${item.warnings.length} warnings`),
        item.state === "fetching" || item.state === "waiting" ? h("span", { class: "hint" }, `${share} %`) : item.state !== "complete" && h("span", { class: "hint" }, STATES[item.state])));
  }

  /** @param {ArtifactView} view */
  #detail(view) {
    const { item } = view;
    this.view.show(
      button("All of them", { class: "quiet back", "data-testid": "artifact-back", on: { click: () => void this.list() } }, icon("back")),
      dangerList(item.warnings),
      h("div", { class: "artifact-head" }, h("h3", { tabindex: "-1" }, revealed(item.headline)), byline(item)),
      h("dl", { class: "request-facts" },
        item.state !== "complete" && fact("State", h("span", { "data-testid": "artifact-state" }, STATES[item.state], item.waits && `: ${item.waits}`)),
        item.path_hint && fact("Meant for", h("code", { class: "exact" }, revealed(item.path_hint, { letters: true })), h("span", { class: "hint" }, "by its author’s word; nothing is put there by itself")),
        item.paths.length > 0 && fact(item.paths.length === 1 ? "Touches" : `Touches ${item.paths.length} paths`, h("ul", { class: "paths", "data-testid": "paths" }, item.paths.map((path) => h("li", null, h("code", { class: "exact" }, revealed(path, { letters: true })))))),
        item.file && fact("Lies at", h("code", { class: "exact" }, item.file))),
      view.diff_error && h("p", { class: "signs-note", "data-testid": "diff-error" }, icon("alarm"), `It is no patch that can be read: ${view.diff_error}`),
      contentView(view),
      view.cut && h("p", { class: "hint", "data-testid": "artifact-cut" }, "There is more of it than is shown here: take it out with the command below to see all of it."),
      this.#tools(item));
    this.view.dialog.scrollTop = 0;
    /** @type {HTMLElement | null} */ (this.view.body.querySelector(".artifact-head h3"))?.focus({ preventScroll: true });
  }

  /** @param {Artifact} item */
  #tools(item) {
    const command = `pairwave quarantine export ${item.id.slice(0, 12)} .`;
    const copied = async () => toast(await copy(command) ? "Copied." : "The browser did not allow copying. Select the text instead.");
    const remove = button("Remove from this machine", { class: "danger", "data-testid": "artifact-remove", on: { click: () => sure.replaceChildren(...confirm) } }, icon("close"));
    const confirm = [
      h("span", { class: "hint" }, "It is deleted here for good. Others keep theirs."),
      button("Yes, remove it", { class: "danger", "data-testid": "artifact-remove-confirm", on: { click: () => void this.#remove(item) } }),
      button("No", { class: "quiet", on: { click: () => sure.replaceChildren(remove) } }),
    ];
    const sure = h("div", { class: "actions" }, remove);
    return h("section", { class: "artifact-tools" },
      item.state === "complete" && h("div", { class: "export" }, h("p", null, "To take it out, run in a terminal"),
        h("div", { class: "actions" }, h("code", { class: "command", "data-testid": "artifact-export" }, command), button("Copy", { class: "quiet", on: { click: copied } }, icon("copy")))),
      item.state !== "removed" && sure);
  }

  /** @param {Artifact} item */
  async #remove(item) {
    try {
      await this.store.api.ask("remove_artifact", { room: this.room, artifact: item.id });
      toast("Removed from this machine.");
      await this.list();
    } catch (error) {
      toastFailure(error);
    }
  }
}

/** @param {ArtifactView} view */
function contentView({ item, content, diff, html }) {
  if (diff) return diffView(diff);
  if (content === null) return h("p", { class: "quiet-note" }, item.state === "removed" ? "It was removed from this machine." : "It is shown as soon as all of it is here.");
  if (item.is_patch) return h("div", { class: "payload-text", "data-testid": "artifact-content" }, patchView(content));
  // What reads HTML turns some signs into others: colours are for texts in which every sign is seen.
  const code = html === undefined || countUnseen(content) ? h("code", null, revealed(content)) : h("code", null, ...bodyOf(html).childNodes);
  return h("div", { class: "payload-text", "data-testid": "artifact-content" }, h("pre", { class: "exact", tabindex: "0", role: "group", "aria-label": "Content" }, code));
}

/** @param {Artifact} item */
function byline(item) {
  const what = item.is_patch ? "a patch" : item.language || "code";
  return h("span", { class: "hint" }, `${what}, ${sizeOf(item.size)}, by `, item.me ? "you" : h("bdi", null, item.from), " ", h("time", { datetime: item.at, title: fullTime(item.at) }, ago(item.at)));
}

/** @param {number} bytes */
function sizeOf(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1024 * 1024 ? `${Math.round(bytes / 1024)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/**
 * @param {string} name
 * @param {...import("./dom.js").Child} value
 */
function fact(name, ...value) {
  return h("div", null, h("dt", null, name), h("dd", null, ...value));
}
