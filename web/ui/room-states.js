/** Rooms in which one can't simply go on, in words. */

export const STATES = {
  alone: {
    title: "Nobody is here but you",
    text: "Make an invite and send it to the other person. What you write meanwhile waits for them on this machine.",
  },
  waiting: {
    title: "Waiting to be let in",
    text: "Your companion knocks at the addresses in the invite; where the invite names a relay, the knock also waits there. Somebody in the room has to come online to open; this page goes on by itself.",
  },
  closed: {
    title: "This room is being read again",
    text: "Your companion opens it from what is on its disk. It comes back here by itself; what you write meanwhile is kept.",
  },
  left: {
    title: "You have left this room",
    text: "What was said until then is below. To come back you need a new invite.",
  },
  removed: {
    title: "You were removed from this room",
    text: "What was said until then is below. Nothing that is said now reaches you, and nothing you write would reach the others.",
  },
};
