/** Building DOM without HTML text: everything that somebody else wrote enters as a text node. */

/** @typedef {Node | string | number | null | undefined | false} Child */
/**
 * @typedef {object} Extra
 * @property {Record<string, (event: any) => void>} [on] listeners by event type
 * @property {Record<string, string>} [vars] CSS custom properties, set through the CSSOM since the CSP has no inline style
 */
/** @typedef {Extra & Record<string, any>} Props */

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Props | null} [props]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  if (props) assign(element, props);
  element.append(...solid(children));
  return element;
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {...Node} children
 */
export function svg(tag, attributes, ...children) {
  const element = /** @type {SVGElement} */ (document.createElementNS("http://www.w3.org/2000/svg", tag));
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/**
 * @param {Element} element
 * @param {...(Child | Child[])} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...solid(children));
}

/**
 * @param {string} text
 * @param {Props} props
 * @param {Node | null} [icon]
 */
export function button(text, props, icon) {
  return h("button", { type: "button", ...props }, icon, text && h("span", null, text));
}

let count = 0;
/** @param {string} prefix */
export function uid(prefix) {
  count += 1;
  return `${prefix}-${count}`;
}

/**
 * A label with its control, tied by id.
 * @param {string} text
 * @param {HTMLElement} control
 * @param {string} [hint]
 */
export function field(text, control, hint) {
  control.id ||= uid("field");
  const note = hint ? h("span", { class: "hint", id: `${control.id}-hint` }, hint) : null;
  if (note) control.setAttribute("aria-describedby", note.id);
  return h("div", { class: "field" }, h("label", { for: control.id }, text), control, note);
}

/** @param {EventTarget | null} target */
export function isTyping(target) {
  return target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");
}

/** @param {string} text */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {HTMLElement} element
 * @param {Props} props
 */
function assign(element, props) {
  for (const [name, value] of Object.entries(props)) {
    if (name === "on") for (const [type, listener] of Object.entries(value)) element.addEventListener(type, /** @type {any} */ (listener));
    else if (name === "vars") for (const [key, text] of Object.entries(value)) element.style.setProperty(key, String(text));
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
}

/** @param {(Child | Child[])[]} children */
function solid(children) {
  /** @type {(Node | string)[]} */
  const nodes = [];
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false || child === "") continue;
    nodes.push(typeof child === "number" ? String(child) : child);
  }
  return nodes;
}
