import type { Tally } from './check-history.ts';
import type { RedisMemory } from './redis-memory.ts';
import type { Finding } from './rules/rule.ts';

const FINDINGS_SHOWN = 30;

export interface BacklogReport {
  findings: Finding[];
  tally: Tally;
  /** What was owed when the workers went on. */
  owed: number;
  /** From FLUSHALL until every order is filled, and until nothing is owed: every mail sent as well. */
  filledMs: number;
  drainedMs: number;
  memory: RedisMemory;
  logs: string | null;
}

/** For people; the last line is the verdict. */
export function backlogLines(report: BacklogReport): string[] {
  const { findings, tally: counted, owed, filledMs, drainedMs, memory, logs } = report;
  const count = (kind: string) => findings.filter((one) => one.kind === kind).length;
  return [
    `${owed} jobs were owed; after FLUSHALL all orders were filled in ${inSeconds(filledMs)}, all mails sent in ${inSeconds(drainedMs)}`,
    `Redis used ${mebibytes(memory.before)} before, ${mebibytes(memory.most)} at most, ${mebibytes(memory.now)} at the end`,
    ...findings.slice(0, FINDINGS_SHOWN).map(({ kind, what }) => `${kind}: ${what}`),
    ...(logs === null ? [] : [`logs: ${logs}`]),
    `accepted ${counted.accepted}, effects ${counted.effects}, lost ${count('lost')}, duplicated ${count('duplicated')}, ${counted.mailTwins} mails sent twice`,
  ];
}

export const inSeconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
