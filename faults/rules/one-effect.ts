import { type Asked, accepted, idOf } from '../history.ts';
import { type Finding, finding } from './rule.ts';

/** A request that never got an answer may or may not have had its effect: but not two of them. */
export function oneEffect(asked: Asked, rows: readonly { id: string }[]): Finding[] {
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
