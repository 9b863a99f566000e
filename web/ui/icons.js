/** Drawn for this page: sixteen units square, strokes in the colour of the text. */

import { svg } from "./dom.js";

const PATHS = {
  people: "M6 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM1.5 13.5c0-2.5 2-4 4.5-4s4.5 1.5 4.5 4M11 3a2.3 2.3 0 0 1 0 4.4M12 9.8c1.6.5 2.6 1.8 2.6 3.7",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.5 10.5l3.5 3.5",
  charter: "M4 2.500h6l2.500 2.500v8.500H4zM9.500 2.500v3h3M6 8.300h4.500M6 10.800h3",
  floor: "M4 14V2.500h8l-2 3 2 3H4",
  back: "M13 8H3M7 4L3 8l4 4",
  box: "M2.500 5L8 2.300 13.500 5v6L8 13.700 2.500 11zM2.500 5L8 7.700 13.500 5M8 7.700v6",
  close: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  menu: "M2.5 4.5h11M2.5 8h11M2.5 11.5h7",
  down: "M8 3v10M4 9l4 4 4-4",
  up: "M8 13V3M4 7l4-4 4 4",
  graph: "M4 2.5v11M4 6c0 2.5 7 1.5 7 4.500v3M11 2.500V4M3 13.500h2",
  invite: "M2.5 4h11v8.500h-11zM2.5 4.500L8 9l5.5-4.5",
  more: "M3.2 8h.1M8 8h.1M12.8 8h.1",
  check: "M3 8.500l3.5 3.500L13 4.5",
  shield: "M8 1.800l5 1.900v4c0 3.2-2.2 5.5-5 6.5-2.8-1-5-3.3-5-6.500v-4z",
  verified: "M8 1.800l5 1.900v4c0 3.2-2.2 5.5-5 6.5-2.8-1-5-3.3-5-6.500v-4zM5.5 8l1.9 1.9 3.3-3.7",
  alarm: "M8 2l6.3 11.500H1.700zM8 6.500v3.200M8 11.600v.2",
  reply: "M6.5 4L2.5 7.500l4 3.500M3 7.500h5.500c3 0 4.8 1.5 5 4.5",
  columns: "M2 3h12v10H2zM8 3v10",
  bell: "M4 11V7a4 4 0 0 1 8 0v4l1.3 1.300H2.700zM6.8 14.200h2.4",
  copy: "M5.5 5.500h8v8h-8zM10.5 5V2.500h-8v8H5",
  pen: "M3 13l.6-3L11 2.600l2.4 2.400L6 12.400zM9.5 4.200l2.3 2.3",
  send: "M8 13V3M3.8 7.200L8 3l4.2 4.2",
  plus: "M8 3v10M3 8h10",
  handoff: "M2.500 8h8M7.500 4.500L11 8l-3.500 3.500M13.500 3v10",
  report: "M3.500 2.500h9v11h-9zM6 10.500V8.500M8 10.500V5.500M10 10.500V7",
  export: "M8 2.500v7M5 6.800L8 9.800l3-3M3 11v2.500h10V11",
  undo: "M5.500 3L2.500 6l3 3M3 6h6.200a3.700 3.700 0 0 1 0 7.400H6",
  command: "M5.5 5.500h5v5h-5zM5.5 5.500H4A1.7 1.7 0 1 1 5.5 4zM10.5 5.500V4A1.7 1.7 0 1 1 12 5.500zM10.5 10.500H12a1.7 1.7 0 1 1-1.5 1.500zM5.5 10.500V12A1.7 1.7 0 1 1 4 10.500z",
};

/**
 * @param {keyof typeof PATHS} name
 */
export function icon(name) {
  return svg(
    "svg",
    { viewBox: "0 0 16 16", class: "icon", "aria-hidden": "true", focusable: "false" },
    svg("path", { d: PATHS[name], fill: "none", stroke: "currentColor", "stroke-width": "1.4", "stroke-linecap": "round", "stroke-linejoin": "round" }),
  );
}
