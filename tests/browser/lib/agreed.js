// A room in which agents may work: two people who know each other, an agent of each, and a charter.

import { Agent } from "./agent.js";
import { Control } from "./control.js";
import { until } from "./patience.js";

export const CHARTER = {
  title: "Parser rewrite", purpose: "The new parser takes every file of the corpus.", scope: ["src/parser"], must_nots: ["push to main"], max_hops: 3,
};

/**
 * @param {import("./scene.js").Scene} scene
 * @param {[string, string]} names of the agents
 */
export async function agreedRoom(scene, names) {
  const room = await verifiedRoom(scene, names);
  const { hash } = await room.hers.call("pair_charter", { op: "propose", ...CHARTER });
  await until("the charter to be there, and accepted", () => room.his.call("pair_charter", { op: "accept", hash }).catch(() => null));
  await until("both to know", async () => (await Promise.all([room.hers, room.his].map((agent) => agent.call("pair_charter", { op: "read" }))))
    .every(({ state }) => state === "agreed"));
  return room;
}

/**
 * As [`agreedRoom`], before there is a charter.
 * @param {import("./scene.js").Scene} scene
 * @param {[string, string]} names
 */
export async function verifiedRoom(scene, names = ["lexer", "reviewer"]) {
  const [alice, bob] = [await scene.person("alice"), await scene.person("bob")];
  // What a test does in a second is none of these rates' business.
  for (const person of [alice, bob]) await person.run("config", "set", "limits.push_interval", "0");
  const { invite, room } = await alice.init();
  await bob.join(invite);
  await compareWords(alice, bob);
  const [hers, his] = [await agentOf(scene, alice, names[0]), await agentOf(scene, bob, names[1])];
  return { alice, bob, room, hers, his };
}

/** Gives an agent the floor, as soon as it is free. */
export function takesFloor(agent) {
  return until("the floor to be free", async () => (await agent.call("pair_claim", {})).yours);
}

/** A question of a person at a terminal. */
export async function asks(person, question) {
  const control = await Control.open(person);
  try {
    return await control.ask(question);
  } finally {
    control.close();
  }
}

async function agentOf(scene, person, name) {
  const agent = await Agent.start(person);
  scene.endings.push(() => agent.end());
  const { me } = await agent.call("pair_status", {});
  await person.ask("rename", name, "--session", me.session);
  return agent;
}

/** Each types the words that the other reads out. */
async function compareWords(alice, bob) {
  const [hers, his] = await until("both to see words", async () => {
    const both = await Promise.all([alice, bob].map((one) => one.ask("verify").catch(() => null)));
    return both.every((one) => one?.say?.length === 3) && both.map((one) => one.say.join(" "));
  });
  await alice.ask("verify", "--heard", his);
  await bob.ask("verify", "--heard", hers);
}
