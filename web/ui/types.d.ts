/** The shapes that the companion's API speaks, as seen by this page. */

export type Kind =
  | "chat" | "question" | "answer" | "context" | "decision" | "finding" | "status" | "review" | "handoff"
  | "genesis" | "invited" | "invite_closed" | "admitted" | "removed" | "left" | "rotated" | "verified" | "named"
  | "relay_added" | "relay_removed" | "letter_keys" | "foreign";

export type DeliveryState = "queued" | "sent" | "stored" | "delivered" | "shown";
export type Origin = "human" | "agent";
export type Path = "lan" | "direct" | "relayed" | "none";

export interface Failure {
  code: "failed" | "usage" | "refused" | "companion_unreachable" | "peer_unreachable";
  rule: string;
  message: string;
  next: string;
}

export interface Session {
  session: string;
  name: string;
  emoji: string;
  color: string;
  origin: Origin;
  status: "online" | "offline";
  summary: string;
}

export interface Member {
  member: string;
  name: string;
  me: boolean;
  online: boolean;
  verified: boolean;
  verified_by: string | null;
  path: Path;
  address: string | null;
  rtt_ms: number | null;
  last_seen: string | null;
  equivocated: boolean;
  pending: number;
  sessions: Session[];
}

export interface Room {
  room: string;
  title: string;
  folder: string;
  state: "member" | "waiting" | "left" | "removed" | "closed";
  events: number;
  heads: string[] | number;
  unread: number;
  read_through: number;
  first_unread: string | null;
  first_unread_arrival?: number | null;
  me: { member: string; name: string; session: string; session_name: string; origin: Origin };
  members: Member[];
  charter?: unknown;
  floor?: unknown;
  waiting?: { questions?: number; permissions?: number; tasks?: number };
}

export interface Relay {
  address: string;
  reserved: boolean;
  connected: boolean;
  rtt_ms: number | null;
  why: string | null;
}

export interface Status {
  version: string;
  member: string;
  name: string;
  dashboard?: string | null;
  network: {
    listening: string[];
    reachability: string | null;
    mdns: boolean | string | null;
    nat: string | null;
    relays: Relay[];
  };
  here?: unknown;
  rooms: Room[];
}

export interface Entry {
  event: string;
  room: string;
  depth: number;
  arrival: number;
  seq: number;
  at: string;
  member: string;
  name: string;
  me: boolean;
  session: string;
  session_name: string;
  emoji: string;
  color: string;
  origin: Origin;
  verified: boolean;
  kind: Kind;
  text: string;
  html?: string;
  headline?: string;
  to?: string;
  answers?: string;
  answered_by?: string[];
  claim?: string;
  rationale?: string;
  provenance?: string[];
  fields?: Record<string, string | string[]>;
  void?: string;
  forked?: boolean;
  delivery?: Record<string, DeliveryState>;
  parents: string[];
}

export interface Page {
  events: Entry[];
  next: string | null;
}

export interface Notice {
  notice: "undone" | "delivery" | "presence" | "joined" | "join_refused" | "verification" | "warning" | "missed" | "reopened";
  /** All but `missed` have it. */
  room: string;
  event?: string;
  member?: string;
  reason?: string;
  step?: "asked" | "words_ready" | "verified" | "verified_by_peer" | "failed";
  text?: string;
}

/** A notice that waits for somebody to deal with it. */
export interface Alert {
  kind: "warning" | "refused" | "asked";
  room: string;
  member: string;
  text: string;
}

export interface Invite {
  id: string;
  by: string;
  expires_at: string;
  uses: number;
  used: number;
  state: "open" | "expired" | "used_up" | "revoked";
}

export interface MadeInvite {
  invite: string;
  id: string;
  expires_at: string;
  uses: number;
  join_command: string;
  qr: { size: number; path: string };
}

export interface Words {
  member: string;
  name: string;
  say: string[];
  verified: boolean;
}

export interface Check {
  name: string;
  ok: boolean;
  detail: string;
  next: string | null;
}

/** What a reader narrows the transcript to. */
export interface Filter {
  query: string;
  kind: string;
  from: string;
}

/** What somebody is writing, as it is kept in the browser. */
export interface Draft {
  kind: Kind;
  to: string;
  text: string;
  answers: string;
  more: Record<string, string>;
  key: string;
  /** Was handed to the companion at least once with this key. */
  tried: boolean;
  /** Is to be sent as soon as the companion is there. */
  sending: boolean;
}

export interface Command {
  id: string;
  title: string;
  hint?: string;
  key?: string;
  run: () => void;
}

export type Connection = "connecting" | "live" | "away" | "locked" | "replaced";

export interface StoreEvents {
  status: Status;
  connection: Connection;
  ready: { version: string };
  entry: { entry: Entry; fresh: boolean };
  notice: Notice;
}

export interface StreamEvents {
  ready: { version: string };
  entry: Entry;
  notice: Notice;
  away: { retryAt: number };
  locked: null;
  replaced: null;
}

/** What one row of the transcript shows of the DAG. */
export interface Lanes {
  lane: number;
  /** Lanes that pass this row without touching it. */
  passing: number[];
  /** Lanes that end in this row's event. */
  entering: number[];
  /** Lanes that start at this row's event. */
  leaving: number[];
}

declare global {
  interface Window {
    trustedTypes?: {
      createPolicy(name: string, rules: { createHTML(text: string): string }): { createHTML(text: string): string };
    };
  }
}
