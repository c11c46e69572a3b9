import {
  type Answer,
  type Asked,
  codeOf,
  finalAnswers,
  isPromise,
  isTryAgain,
} from '../history.ts';
import { type Finding, finding, type Rule } from './rule.ts';

/** Answers are those that the contract has; all of one key are the same, byte for byte, and one at most is no replay. */
export const answersRule: Rule = ({ history }) =>
  history.flatMap((asked) => [...inContract(asked), ...identical(asked), ...ranOnce(asked)]);

/** What a request may be answered for good, when nothing is wrong with it. */
const BUSINESS: Record<Asked['wish']['kind'], readonly string[]> = {
  order: [],
  cancel: ['order_not_cancelable'],
  task: [],
  deposit: [],
};

function inContract(asked: Asked): Finding[] {
  return asked.attempts.flatMap(({ answer }) => {
    if (typeof answer === 'string') return [];
    const told = finding('answer', `${asked.key} was told ${answer.status} ${answer.body}`);
    if (isTryAgain(answer)) return isPromisedRefusal(answer) ? [] : [told];
    const code = codeOf(answer.body) ?? '';
    const isBusiness = answer.status === 409 && BUSINESS[asked.wish.kind].includes(code);
    return isBusiness || isPromise(asked.wish, answer) ? [] : [told];
  });
}

/** A client that is told to come again is told when. Nothing is ever an internal error. */
function isPromisedRefusal({ status, retryAfter }: Answer): boolean {
  return (status === 503 || status === 409) && /^\d+$/.test(retryAfter ?? '');
}

function identical(asked: Asked): Finding[] {
  const [first, ...others] = finalAnswers(asked);
  const differing = others.find(
    (other) =>
      other.status !== first?.status ||
      other.body !== first.body ||
      other.contentType !== first.contentType ||
      other.location !== first.location,
  );
  if (differing === undefined) return [];
  const both = `${first?.status} ${first?.body} and ${differing.status} ${differing.body}`;
  return [finding('answer', `${asked.key} has two answers: ${both}`)];
}

function ranOnce(asked: Asked): Finding[] {
  const runs = finalAnswers(asked).filter(({ isReplay }) => !isReplay).length;
  return runs > 1 ? [finding('duplicated', `${asked.key} was run ${runs} times`)] : [];
}
