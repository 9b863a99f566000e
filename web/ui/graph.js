/** The log as a picture: one strip of SVG per row, that joins the strips above and below. */

import { svg } from "./dom.js";
import { isMessage } from "./kinds.js";

/** @import { Entry, Lanes } from "./types.js" */

/** Where the node sits, in px from the row's top; CSS gives the text's first line the same place. */
const NODE = 19;
const BEND = 15;
const WIDTH = 52;
const NARROW = 26;
const GAP = 13;

/**
 * @param {Entry} entry
 * @param {Lanes | null} lanes null: the rows are a selection, and lines between them would lie
 * @param {number} width how many lanes the whole piece has
 * @param {boolean} isNarrow
 */
export function drawStrip(entry, lanes, width, isNarrow) {
  const x = scale(width, isNarrow);
  const strip = svg("svg", { class: "strip", width: isNarrow ? NARROW : WIDTH, "aria-hidden": "true" });
  if (lanes) strip.append(...lines(lanes, x));
  strip.append(node(entry, x(lanes?.lane ?? 0)));
  return strip;
}

/**
 * The strip beside something that stands between two events.
 * @param {Lanes} lanes of the event below
 * @param {number} width
 * @param {boolean} isNarrow
 */
export function drawPassing(lanes, width, isNarrow) {
  const x = scale(width, isNarrow);
  const strip = svg("svg", { class: "strip", width: isNarrow ? NARROW : WIDTH, "aria-hidden": "true" });
  for (const lane of [...lanes.passing, ...lanes.entering]) strip.append(vertical(x(lane), 0, "100%"));
  return strip;
}

/**
 * @param {number} width
 * @param {boolean} isNarrow
 * @returns {(lane: number) => number}
 */
function scale(width, isNarrow) {
  const space = (isNarrow ? NARROW : WIDTH) - 16;
  const gap = Math.min(GAP, width > 1 ? space / (width - 1) : space);
  return (lane) => 8 + lane * gap;
}

/**
 * @param {Lanes} lanes
 * @param {(lane: number) => number} x
 */
function lines(lanes, x) {
  const at = x(lanes.lane);
  return [
    ...lanes.passing.map((lane) => vertical(x(lane), 0, "100%")),
    ...lanes.entering.map((lane) => bend(x(lane), 0, at, NODE)),
    ...lanes.leaving.flatMap((lane) => [bend(at, NODE, x(lane), NODE + BEND), vertical(x(lane), NODE + BEND, "100%")]),
  ];
}

/**
 * @param {number} x
 * @param {number} from
 * @param {number | string} to
 */
function vertical(x, from, to) {
  return svg("line", { x1: x, y1: from, x2: x, y2: to, class: "lane" });
}

/**
 * @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 */
function bend(x1, y1, x2, y2) {
  const middle = (y1 + y2) / 2;
  return svg("path", { d: `M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2}`, class: "lane" });
}

/**
 * @param {Entry} entry
 * @param {number} x
 */
function node(entry, x) {
  const shape = shapeOf(entry, x);
  const isMerge = entry.parents.length > 1;
  shape.classList.add("node");
  shape.classList.toggle("is-void", Boolean(entry.void));
  shape.classList.toggle("is-forked", Boolean(entry.forked));
  shape.style.setProperty("--session", entry.color || "currentColor");
  const hit = svg("rect", { x: x - 9, y: NODE - 11, width: 18, height: 22, class: "node-hit", "data-testid": "graph-node" });
  const group = svg("g", { class: "node-group" }, shape, hit);
  if (isMerge) group.prepend(svg("circle", { cx: x, cy: NODE, r: 8, class: "merge" }));
  return group;
}

/**
 * @param {Entry} entry
 * @param {number} x
 */
function shapeOf(entry, x) {
  if (entry.forked) {
    return svg("path", { d: `M${x - 6} ${NODE - 6}l12 12m0 -12l-12 12` });
  }
  if (!isMessage(entry.kind)) return svg("rect", { x: x - 3, y: NODE - 3, width: 6, height: 6, class: "is-room" });
  return svg("circle", { cx: x, cy: NODE, r: 5 });
}
