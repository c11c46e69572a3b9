import type { FaultyStack } from './faulty-stack.ts';
import type { Random } from './random.ts';

/** Something that goes wrong in production, and that can be made to go wrong here. */
export interface Fault {
  /** What happens, in a few words. */
  describe: string;
  /** Lasts for over fifteen seconds by itself: injected only when it is named, or all are. */
  isLong?: true;
  /**
   * Makes it happen, and resolves when it is over: a process has been killed, a frozen one runs again. What comes
   * after is recovery. Undoes what would not end by itself when `signal` fires.
   */
  inject(stack: FaultyStack, random: Random, signal: AbortSignal): Promise<void>;
}
