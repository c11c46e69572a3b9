import { finding, type Rule } from './rule.ts';

/** Nothing is owed any more. */
export const debtsRule: Rule = ({ facts }) =>
  facts.jobs.map(({ name, subjectId, state, lastError }) =>
    finding('lost', `${name} of ${subjectId} is ${state}${lastError ? `: ${lastError}` : ''}`),
  );
