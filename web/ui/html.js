/** The one door through which HTML text becomes DOM: bodies that the companion has sanitised. */

const policy = window.trustedTypes?.createPolicy("pairwave", { createHTML: (text) => text })
  ?? { createHTML: (/** @type {string} */ text) => text };

/**
 * @param {string} sanitised an entry's `html`
 * @returns {HTMLElement}
 */
export function bodyOf(sanitised) {
  const body = document.createElement("div");
  body.className = "prose";
  body.innerHTML = policy.createHTML(sanitised);
  for (const link of body.querySelectorAll("a[href]")) {
    link.setAttribute("target", "_blank");
    link.setAttribute("rel", "noopener noreferrer");
  }
  for (const block of body.querySelectorAll("pre")) {
    block.tabIndex = 0;
    block.setAttribute("role", "group");
    block.setAttribute("aria-label", "Code");
  }
  return body;
}
