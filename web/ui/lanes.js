/** Where the lines of the DAG run beside the rows of the transcript. */

/** @import { Entry, Lanes } from "./types.js" */

/**
 * Each edge from parent to child holds a lane between their rows. The first child goes on in its parent's lane.
 * @param {Entry[]} entries a piece of the room, in order
 * @param {boolean} atEnd whether an event without a child in the piece is a head
 * @returns {{rows: Lanes[], width: number}}
 */
export function layLanes(entries, atEnd) {
  const children = childrenOf(entries);
  /** The child that each lane leads to; "" where the lane is free. @type {string[]} */
  const targets = above(entries);
  let width = Math.max(1, targets.length);
  const rows = entries.map((entry) => {
    const row = layRow(entry, targets, children.get(entry.event) ?? [], atEnd);
    width = Math.max(width, row.lane + 1, ...row.leaving.map((lane) => lane + 1));
    return row;
  });
  return { rows, width };
}

/**
 * @param {Entry} entry
 * @param {string[]} targets
 * @param {string[]} children
 * @param {boolean} atEnd
 * @returns {Lanes}
 */
function layRow(entry, targets, children, atEnd) {
  const entering = lanesTo(targets, entry.event);
  const lane = entering[0] ?? free(targets);
  for (const ended of entering) targets[ended] = "";
  const passing = targets.flatMap((target, at) => (target && at !== lane ? [at] : []));
  // Without a child here, the line of an event that is no head leads out of the piece.
  const leads = children.length || atEnd ? children : ["?"];
  const leaving = leads.map((child, at) => {
    const to = at === 0 ? lane : free(targets);
    targets[to] = child;
    return to;
  });
  if (!leads.length) targets[lane] = "";
  while (targets.length && !targets[targets.length - 1]) targets.pop();
  return { lane, passing, entering, leaving };
}

/** @param {Entry[]} entries */
function childrenOf(entries) {
  const byId = new Map(entries.map((entry) => [entry.event, entry]));
  /** @type {Map<string, string[]>} */
  const children = new Map();
  for (const entry of entries) {
    for (const parent of ownParents(entry, byId)) {
      const known = children.get(parent) ?? [];
      known.push(entry.event);
      children.set(parent, known);
    }
  }
  return children;
}

/**
 * Lanes that come in from above the piece: for each event whose parents are all beyond it, one.
 * @param {Entry[]} entries
 */
function above(entries) {
  const ids = new Set(entries.map((entry) => entry.event));
  const orphans = entries.filter((entry) => entry.parents.length && !entry.parents.some((parent) => ids.has(parent)));
  return orphans.map((entry) => entry.event);
}

/**
 * An author's previous event is always a parent. Where another parent follows it anyway, its line would say nothing.
 * @param {Entry} entry
 * @param {Map<string, Entry>} byId
 */
function ownParents(entry, byId) {
  const [backlink, ...others] = entry.parents;
  if (!others.length || backlink === undefined) return entry.parents;
  return others.some((parent) => follows(parent, backlink, byId)) ? others : entry.parents;
}

/**
 * @param {string} later
 * @param {string} earlier
 * @param {Map<string, Entry>} byId
 */
function follows(later, earlier, byId) {
  const floor = byId.get(earlier)?.depth ?? Infinity;
  const queue = [later];
  const seen = new Set(queue);
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (const parent of byId.get(id)?.parents ?? []) {
      if (parent === earlier) return true;
      if (seen.has(parent) || (byId.get(parent)?.depth ?? 0) <= floor) continue;
      seen.add(parent);
      queue.push(parent);
    }
  }
  return false;
}

/**
 * @param {string[]} targets
 * @param {string} event
 */
function lanesTo(targets, event) {
  return targets.flatMap((target, at) => (target === event ? [at] : []));
}

/** @param {string[]} targets */
function free(targets) {
  const at = targets.findIndex((target) => !target);
  return at < 0 ? targets.length : at;
}
