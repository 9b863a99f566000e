/** What actions, risks and states are called, and what happens after a yes. */

/** @import { ActionName, ActionRequest, RequestState, Risk } from "./types.js" */

/** @type {Record<ActionName, {does: string, noun: string, label: string}>} */
const ACTIONS = {
  apply_patch: { does: "apply a patch", noun: "this patch", label: "The patch" },
  write_file: { does: "write a file", noun: "this file", label: "The content" },
  run_command: { does: "run a command", noun: "this command", label: "The command" },
  fetch_url: { does: "fetch a URL", noun: "this URL", label: "The URL" },
};

/** @type {Record<RequestState, string>} */
const STATES = {
  pending: "waits for a yes or no",
  approved: "approved",
  denied: "denied",
  handed: "handed over",
  done: "done",
  failed: "failed",
  expired: "expired",
};

/** @type {Record<Risk, string>} */
export const RISKS = { low: "low risk", medium: "medium risk", high: "high risk" };

/** @param {ActionRequest} request */
export function whatItDoes({ action }) {
  return ACTIONS[action]?.does ?? action.replaceAll("_", " ");
}

/** @param {ActionRequest} request */
export function payloadLabel({ action }) {
  return ACTIONS[action]?.label ?? "The payload";
}

/** @param {ActionRequest} request */
export function stateName({ state, approved_by }) {
  if (state === "approved" && approved_by === "agent") return "approved by a rule";
  return STATES[state] ?? state;
}

/**
 * @param {ActionRequest} request
 * @param {string} folder
 */
export function afterApproval({ action }, folder) {
  const noun = ACTIONS[action]?.noun ?? "this";
  const where = folder ? ` It works in ${folder}.` : "";
  return `Your own agent is handed exactly ${noun}, once.${where} Nothing runs by itself, and nothing else than what is shown here can be handed over.`;
}
