/** The shapes that the companion's API speaks, as seen by this page. */

export type Kind =
  | "chat" | "question" | "answer" | "context" | "decision" | "finding" | "status" | "review" | "handoff" | "summary"
  | "genesis" | "invited" | "invite_closed" | "admitted" | "removed" | "left" | "rotated" | "verified" | "named"
  | "relay_added" | "relay_removed" | "letter_keys"
  | "charter_proposed" | "charter_accepted" | "charter_declined"
  | "floor_claimed" | "floor_yielded" | "floor_taken" | "floor_released"
  | "action" | "approved" | "denied" | "handed" | "completed" | "expired"
  | "overridden" | "prompted" | "code" | "remembered"
  | "git_setup" | "committed" | "paths_claimed" | "paths_released" | "claims_expired" | "foreign";

export type DeliveryState = "queued" | "sent" | "stored" | "delivered" | "shown";
export type Origin = "human" | "agent";
export type Path = "lan" | "direct" | "relayed" | "none";

export interface Failure {
  code: "failed" | "usage" | "refused" | "companion_unreachable" | "peer_unreachable";
  rule: string;
  message: string;
  next: string;
  /** What it is about, by its ids, or what could have been meant. */
  candidates?: string[];
}

export interface Session {
  session: string;
  name: string;
  emoji: string;
  color: string;
  origin: Origin;
  status: "online" | "offline";
  summary: string;
  /** When its live mode ends at the latest. */
  live_until?: string | null;
  /** How often others woke it in that. */
  wakes: number;
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
  /** Why the path goes through a relay. */
  why?: string | null;
  last_seen: string | null;
  equivocated: boolean;
  pending: number;
  /** How many of them wait at a mailbox. */
  stored?: number;
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
  charter?: { state: CharterState; title: string | null; hash: string | null } | null;
  floor?: Floor | null;
  waiting?: { questions?: number; permissions?: number; tasks?: number };
}

export interface Relay {
  address: string;
  reserved: boolean;
  connected: boolean;
  rtt_ms: number | null;
  why: string | null;
  /** Why our token does not count there. */
  token_refused: string | null;
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
  request?: string;
  artifact?: string;
  is_patch?: boolean;
  void?: string;
  forked?: boolean;
  delivery?: Record<string, DeliveryState>;
  parents: string[];
}

export type CharterState = "none" | "proposed" | "agreed";
export type Risk = "low" | "medium" | "high";
export type ActionName = "apply_patch" | "write_file" | "run_command" | "fetch_url";
export type RequestState = "pending" | "approved" | "denied" | "handed" | "done" | "failed" | "expired";

export interface CharterText {
  title: string;
  purpose: string;
  scope: string[];
  out_of_scope: string[];
  must_nots: string[];
  response_contract: string[];
  auto_approve?: "none" | "low" | "all" | null;
  max_hops?: number | null;
  live_minutes?: number | null;
}

export interface Charter {
  state: CharterState;
  charter: CharterText | null;
  hash: string | null;
  by: string | null;
  at: string | null;
  accepted: string[];
  missing: string[];
  declined: { title: string; hash: string; by: string; reason: string | null } | null;
  verified: boolean;
  needs_human: boolean;
  next: string;
}

export interface Floor {
  holder: string | null;
  holder_name: string | null;
  session: string | null;
  session_name: string | null;
  waiting: Claim[];
  hops: number;
  max_hops: number;
}

export interface Claim {
  member: string;
  name: string;
  session_name: string;
  reason: string | null;
  since: string;
  take_in_s: number | null;
}

export interface Warning {
  rule: string;
  risk: Risk;
  reason: string;
  excerpt: string;
}

/** Something that one side asks the other to have done. */
export interface ActionRequest {
  id: string;
  action: ActionName;
  risk: Risk;
  claimed_risk: Risk;
  summary: string;
  target_path: string | null;
  artifact: string | null;
  hash: string;
  by: string;
  from: string;
  from_session: string;
  to: string;
  mine: boolean;
  for_me: boolean;
  state: RequestState;
  at: string;
  expires_at: string;
  needs_human: boolean;
  may_be_always: boolean;
  warnings: Warning[];
  paths: string[];
  approved_by: string | null;
  reason: string | null;
  detail: string | null;
}

/** A request with everything that it would do. */
export interface ActionDetail {
  request: ActionRequest;
  payload: string;
  /** Why the payload is not all of it. */
  missing?: string;
}

/** Code or a patch that a member shared. What its author says of it is data. */
export interface Artifact {
  id: string;
  headline: string;
  from: string;
  member: string;
  me: boolean;
  at: string;
  size: number;
  state: "fetching" | "waiting" | "complete" | "removed" | "broken";
  progress: number;
  waits?: string | null;
  is_patch: boolean;
  language?: string | null;
  path_hint?: string | null;
  paths: string[];
  warnings: Warning[];
  file?: string | null;
}

export interface ArtifactView {
  item: Artifact;
  content: string | null;
  /** There is more than is shown. */
  cut: boolean;
  diff: DiffFile[] | null;
  diff_error?: string | null;
  /** The content in colours, where its language is known. */
  html?: string;
}

export interface DiffFile {
  old: string | null;
  new: string | null;
  change: "added" | "deleted" | "modified" | "renamed" | "copied";
  executable: boolean;
  binary: boolean;
  added: number;
  removed: number;
  hunks: { old_start: number; old_lines: number; new_start: number; new_lines: number; section: string; lines: DiffLine[] }[];
}

export interface DiffLine {
  kind: "context" | "added" | "removed";
  text: string;
  old: number | null;
  new: number | null;
}

/** What the secret scan held back. */
export interface Finding {
  id: string;
  rule: string;
  what: string;
  field: string;
  excerpt: string;
  session_name: string;
  at: string;
}

export interface Page {
  events: Entry[];
  next: string | null;
}

export interface Notice {
  artifact?: string;
  notice: "undone" | "delivery" | "presence" | "joined" | "join_refused" | "verification" | "warning" | "missed" | "reopened" | "artifact";
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
