/** What a room remembers, as the companion's API speaks of it. */

import type { Origin, RequestState } from "./types.js";

/** One line of the ledger: an event by its headline, or by the beginning of its text. */
export interface LedgerLine {
  event: string;
  /** A kind of message, `code`, or the state of a request. */
  kind: string;
  from: string;
  me: boolean;
  at: string;
  text: string;
}

export interface Ledger {
  summary: LedgerLine | null;
  open_questions: LedgerLine[];
  decisions: LedgerLine[];
  headlines: LedgerLine[];
  artifacts: LedgerLine[];
  open_requests: LedgerLine[];
  requests: Partial<Record<RequestState, number>>;
  counts: Record<string, number>;
  last_activity: string | null;
}

export type BrainKind = "fact" | "decision" | "snippet" | "link" | "insight";

/** An entry of the brain, or something of the transcript that was found with it. */
export interface Recollection {
  event: string;
  source: "brain" | "transcript" | "artifact";
  kind: string;
  headline?: string;
  /** Of what was found inside an artifact: its lines that the content shows. */
  lines?: string;
  content: string;
  html?: string;
  tags: string[];
  provenance: string[];
  supersedes?: string;
  superseded_by?: string;
  name: string;
  me: boolean;
  origin: Origin;
  at: string;
}

export interface Day {
  /** `2026-11-20` */
  day: string;
  /** What stands first of it in the room's order. */
  event: string;
  counts: Record<string, number>;
}

export interface Days {
  days: Day[];
  /** Days before those that are left out. */
  earlier: number;
}

export interface Resumed {
  path: string;
  markdown: string;
  html?: string | null;
  written_at: string | null;
  since: number;
  log_ok: boolean;
}

export interface Written {
  path?: string;
  markdown: string;
  html?: string | null;
}

export type ExportFormat = "md" | "json" | "html";

/** What a member said of its repository. */
export interface GitSide {
  event: string;
  name: string;
  me: boolean;
  repo: string;
  branch: string;
  base_commit: string | null;
  strategy: "branch_per_person" | "shared_branch";
  at: string;
}

/** Paths that a session works on. */
export interface PathClaim {
  claim: string;
  name: string;
  me: boolean;
  session_name: string;
  paths: string[];
  note: string | null;
  since: string;
}

/** Where two got in each other's way. */
export interface GitConflict {
  event: string;
  kind: "claim" | "commit" | "ended";
  name: string;
  me: boolean;
  path: string;
  against: string;
  against_name: string;
  at: string;
  text: string;
}

export interface GitCommit {
  event: string;
  sha: string;
  message: string;
  branch: string | null;
  paths: string[];
  name: string;
  me: boolean;
  at: string;
  to_pull: boolean;
}

export interface Git {
  sides: GitSide[];
  claims: PathClaim[];
  conflicts: GitConflict[];
  commits: GitCommit[];
  pull: { commits: number; paths: string[]; text: string } | null;
  warnings: string[];
}

export type SideTab = "people" | "ledger" | "brain" | "days" | "git";

/** What stands behind a tab of the side. */
export interface SidePanel {
  element: HTMLElement;
  /** It has come to be seen, or something has happened while it is. */
  refresh(): void;
  /** Where the keyboard goes; its tab if there is no better place. */
  focus?(): void;
}

export interface PanelHooks {
  goTo: (event: string) => void;
  narrow: (kind: string) => void;
}
