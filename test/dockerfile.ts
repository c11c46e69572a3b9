import { readText } from './repository.ts';

export interface Instruction {
  /** `COPY`, in capitals. */
  name: string;
  /** The rest of its line. */
  value: string;
}

export interface Copy {
  /** The stage that it copies from; null for the repository. */
  from: string | null;
  sources: string[];
  target: string;
}

export interface Stage {
  base: string;
  instructions: Instruction[];
  copies: Copy[];
}

/** The stages of the Dockerfile, in their order; the last is the image. */
export function dockerfileStages(): Stage[] {
  const stages: Stage[] = [];
  for (const { name, value } of instructions()) {
    if (name === 'FROM') {
      stages.push({ base: value.split(' ')[0] ?? '', instructions: [], copies: [] });
      continue;
    }
    const stage = stages.at(-1);
    stage?.instructions.push({ name, value });
    if (name === 'COPY') stage?.copies.push(toCopy(value));
  }
  return stages;
}

function instructions(): Instruction[] {
  const lines = readText('Dockerfile')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return lines.map((line) => {
    const [, name = '', value = ''] = /^([A-Z]+) +(.+)$/.exec(line) ?? [];
    if (name === '') throw new Error(`cannot read ${line}`);
    return { name, value };
  });
}

function toCopy(value: string): Copy {
  const words = value.split(/ +/);
  const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length) ?? null;
  const paths = words.filter((word) => !word.startsWith('--'));
  return { from, sources: paths.slice(0, -1), target: paths.at(-1) ?? '' };
}
