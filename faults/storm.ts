import { performance } from 'node:perf_hooks';
import { faultNamed } from './catalogue.ts';
import { pause } from './client.ts';
import type { FaultyStack } from './faulty-stack.ts';
import type { Random } from './random.ts';
import type { Recovery } from './recovery.ts';
import { schedule } from './schedule.ts';

/** A fault that was injected. Times are in milliseconds from the beginning of the storm. */
export interface Injected {
  name: string;
  fromMs: number;
  toMs: number;
  recovery: Recovery;
  /** Whether the next fault came before the recovery from this one was over: then its times say little. */
  isOverlapped: boolean;
}

export interface StormOptions {
  stack: FaultyStack;
  random: Random;
  names: readonly string[];
  seconds: number;
  /** Whether each fault waits until the one before has been recovered from, so that it can be told how long that takes. */
  calm: boolean;
  measure(name: string): Promise<Recovery>;
  /** Takes a line when a fault is over. */
  say(line: string): void;
  signal: AbortSignal;
}

/** Injects one fault after another until the time is over, and measures how each is recovered from. */
export async function runStorm(options: StormOptions): Promise<Injected[]> {
  const { stack, random, names, seconds, calm, measure, say, signal } = options;
  const begun = performance.now();
  const clock = () => performance.now() - begun;
  const recovering: Promise<Injected>[] = [];
  const starts: number[] = [];
  for (const planned of schedule(random, names)) {
    await pause(planned.pauseMs, signal);
    if (signal.aborted || clock() >= seconds * 1_000) break;
    const fromMs = clock();
    starts.push(fromMs);
    await faultNamed(planned.name).inject(stack, planned.random, signal);
    const toMs = clock();
    say(`  ${inSeconds(fromMs)} to ${inSeconds(toMs)}  ${planned.name}`);
    const recovered = measure(planned.name);
    recovering.push(
      recovered.then((recovery) => ({
        name: planned.name,
        fromMs,
        toMs,
        recovery,
        isOverlapped: false,
      })),
    );
    if (calm) await recovered;
  }
  const injected = await Promise.all(recovering);
  return injected.map((fault, index) => ({
    ...fault,
    isOverlapped: overlaps(fault, starts[index + 1] ?? Number.POSITIVE_INFINITY),
  }));
}

function overlaps({ toMs, recovery }: Injected, nextFromMs: number): boolean {
  const { newOrderMs, backlogMs } = recovery;
  return toMs + Math.max(newOrderMs ?? 0, backlogMs ?? 0) > nextFromMs;
}

const inSeconds = (ms: number): string => `${(ms / 1_000).toFixed(1).padStart(5)} s`;
