import type { Facts } from '../facts.ts';
import type { History } from '../history.ts';

/**
 * - `lost`: accepted, and it has not happened
 * - `duplicated`: it happened more than once
 * - `unasked`: it happened, and nobody asked for it
 * - `answer`: a client was told what the contract does not allow
 */
export type FindingKind = 'lost' | 'duplicated' | 'unasked' | 'answer' | 'invariant';

export interface Finding {
  kind: FindingKind;
  what: string;
}

export interface Evidence {
  history: History;
  facts: Facts;
}

/** Holds the evidence against one side of the promise. Pure. */
export type Rule = (evidence: Evidence) => Finding[];

export const finding = (kind: FindingKind, what: string): Finding => ({ kind, what });
