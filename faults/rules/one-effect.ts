import { effectsIn } from '../effects.ts';
import { type Asked, accepted, idOf } from '../history.ts';
import { type Evidence, type Finding, finding } from './rule.ts';

/** Everything of a kind that a client was promised is there once, and no other is. `nameOf` says what a row is. */
export function eachOnce<Row extends { id: string }>(
  { history, facts }: Evidence,
  kind: Asked['wish']['kind'],
  rows: readonly Row[],
  nameOf: (row: Row) => string,
): Finding[] {
  const effects = effectsIn(facts);
  const claimed = new Set<string>();
  const findings: Finding[] = [];
  for (const asked of history.filter(({ wish }) => wish.kind === kind)) {
    const made = effects.of(asked).filter(({ id }) => !claimed.has(id));
    findings.push(...oneEffect(asked, made));
    for (const { id } of made) claimed.add(id);
  }
  for (const row of rows.filter(({ id }) => !claimed.has(id))) {
    findings.push(finding('unasked', `nobody asked for ${nameOf(row)}`));
  }
  return findings;
}

/** A request that never got an answer may or may not have had its effect: but not two of them. */
function oneEffect(asked: Asked, rows: readonly { id: string }[]): Finding[] {
  const { key, wish } = asked;
  if (rows.length > 1) {
    const ids = rows.map(({ id }) => id).join(', ');
    return [
      finding('duplicated', `${wish.kind} under ${key} is there ${rows.length} times: ${ids}`),
    ];
  }
  const answer = accepted(asked);
  if (answer === undefined) return [];
  const promised = idOf(answer.body);
  if (promised !== null && rows.some(({ id }) => id === promised)) return [];
  return [finding('lost', `${wish.kind} ${promised} was promised under ${key} and is not there`)];
}
