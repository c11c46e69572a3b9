import type { Report } from './suite.ts';

const FINDINGS_SHOWN = 30;

/** What a run has come to, for people. Its last line is the verdict. */
export function reportLines({ findings, tally, injected, logs }: Report, replay: string): string[] {
  const count = (kind: string) => findings.filter((one) => one.kind === kind).length;
  const others = findings.length - count('lost') - count('duplicated');
  return [
    '',
    'recovery: the next new order filled; all that was owed done',
    ...injected.map(({ name, recovery, isOverlapped }) => {
      const times = `${seconds(recovery.newOrderMs)}  ${seconds(recovery.backlogMs)}`;
      return `  ${name.padEnd(24)} ${times}${isOverlapped ? '  (met by the next fault)' : ''}`;
    }),
    '',
    ...findings.slice(0, FINDINGS_SHOWN).map(({ kind, what }) => `${kind}: ${what}`),
    ...(findings.length > FINDINGS_SHOWN ? [`and ${findings.length - FINDINGS_SHOWN} more`] : []),
    `${tally.deposits} deposits, ${tally.unanswered} never answered, ${tally.mailTwins} mails sent twice, ${others} other findings`,
    ...(logs === null ? [] : [`logs: ${logs}`, `again: ${replay}`]),
    `accepted ${tally.accepted}, effects ${tally.effects}, lost ${count('lost')}, duplicated ${count('duplicated')}`,
  ];
}

const seconds = (ms: number | null): string =>
  (ms === null ? 'never' : `${(ms / 1_000).toFixed(2)} s`).padStart(8);
