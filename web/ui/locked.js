/** Shown where this tab holds no valid token. */

import { h } from "./dom.js";

export function lockedState() {
  return h("section", { class: "state locked", "data-testid": "locked", "aria-labelledby": "locked-title", role: "region" },
    h("p", { class: "wordmark", "aria-hidden": "true" }, "pairwave"),
    h("h1", { id: "locked-title", tabindex: "-1" }, "This page is locked"),
    h("p", null, "It shows what your companion knows, so it opens only for you. In a terminal, run"),
    h("pre", { tabindex: "0" }, "pairwave dashboard"),
    h("p", { class: "hint" }, "The address it prints is good for one browser tab, once. Nothing of yours is lost meanwhile."));
}
