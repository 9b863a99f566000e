/** What covers the page where this tab may not, or shall not, go on. */

import { button, h } from "./dom.js";

/** This tab holds no valid token. */
export function lockedState() {
  return h("section", { class: "state locked", "data-testid": "locked", "aria-labelledby": "locked-title", role: "region" },
    h("p", { class: "wordmark", "aria-hidden": "true" }, "pairwave"),
    h("h1", { id: "locked-title", tabindex: "-1" }, "This page is locked"),
    h("p", null, "It shows what your companion knows, so it opens only for you. In a terminal, run"),
    h("pre", { tabindex: "0" }, "pairwave dashboard"),
    h("p", { class: "hint" }, "The address it prints is good for one browser tab, once. Nothing of yours is lost meanwhile."));
}

/**
 * The companion serves a few tabs at a time, and another one took this one's place.
 * @param {() => void} goOn
 */
export function replacedState(goOn) {
  return h("section", { class: "state locked", "data-testid": "replaced", "aria-labelledby": "replaced-title", role: "region" },
    h("p", { class: "wordmark", "aria-hidden": "true" }, "pairwave"),
    h("h1", { id: "replaced-title", tabindex: "-1" }, "Opened in another tab"),
    h("p", null, "This page stands still here, since it was opened in other tabs after this one. What you were writing is kept."),
    button("Go on here", { class: "primary", "data-testid": "go-on-here", on: { click: goOn } }));
}
