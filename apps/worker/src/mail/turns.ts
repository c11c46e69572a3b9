import { NotYet } from '../not-yet.ts';
import type { DomainPace, Trouble } from './domain-pace.ts';

/** How long a mail waits here for its turn. Beyond that it is put off, and its place in the worker is another's. */
const PATIENCE_MS = 1_000;
/** Between the returns of those that are put off together, at most. */
const SPREAD_MS = 1_000;
const LONGEST_PUT_OFF_MS = 300_000;

export interface Turn {
  /** How long it was waited for: longer than it should have been when the process stood still. */
  waitedMs: number;
  /** To be called once, when the send is over. */
  end(trouble: Trouble | null): void;
}

export interface Turns {
  /**
   * Resolves when a mail may go to the domain, after those that asked before; an urgent one only after urgent ones.
   *
   * @throws {NotYet} when that is too far away to wait for
   */
  take(domain: string, isUrgent: boolean): Promise<Turn>;
}

interface Waiter {
  timer: NodeJS.Timeout;
  turn: PromiseWithResolvers<Turn>;
  isUrgent: boolean;
  askedAt: number;
}

/** Who may send to a domain, and when, in this process. `now` in milliseconds, of a clock that only goes forward. */
export function createTurns(pace: DomainPace, now: () => number = () => performance.now()): Turns {
  const lines = new Map<string, Set<Waiter>>();
  const wakeUps = new Map<string, NodeJS.Timeout>();

  const begin = (domain: string, askedAt: number): Turn => {
    const beganAt = now();
    pace.begin(domain, beganAt);
    return {
      waitedMs: beganAt - askedAt,
      end(trouble) {
        pace.end(domain, { beganAt, trouble }, now());
        next(domain);
      },
    };
  };

  const next = (domain: string): void => {
    for (const waiter of urgentFirst(lines.get(domain))) {
      const waitMs = pace.waitMs(domain, 0, now());
      if (waitMs > PATIENCE_MS) leave(domain, waiter);
      else if (waitMs === 0) {
        remove(domain, waiter);
        waiter.turn.resolve(begin(domain, waiter.askedAt));
      } else {
        wakeUp(domain, waitMs);
        return;
      }
    }
  };

  /** Nobody's end tells of the end of a pause. A timer may come before its time: who still has to wait is woken again. */
  const wakeUp = (domain: string, waitMs: number): void => {
    clearTimeout(wakeUps.get(domain));
    wakeUps.set(domain, setTimeout(() => next(domain), Math.ceil(waitMs)).unref());
  };

  const remove = (domain: string, waiter: Waiter): void => {
    clearTimeout(waiter.timer);
    const line = lines.get(domain);
    line?.delete(waiter);
    if (line?.size !== 0) return;
    lines.delete(domain);
    clearTimeout(wakeUps.get(domain));
    wakeUps.delete(domain);
  };

  const leave = (domain: string, waiter: Waiter): void => {
    remove(domain, waiter);
    waiter.turn.reject(putOff(domain, pace.waitMs(domain, 0, now()), waiter.isUrgent));
  };

  const wait = (domain: string, waitMs: number, isUrgent: boolean): Promise<Turn> => {
    const line = lines.get(domain) ?? new Set();
    const waiter: Waiter = {
      turn: Promise.withResolvers<Turn>(),
      timer: setTimeout(() => leave(domain, waiter), PATIENCE_MS),
      isUrgent,
      askedAt: now(),
    };
    lines.set(domain, line.add(waiter));
    wakeUp(domain, waitMs);
    return waiter.turn.promise;
  };

  return {
    async take(domain, isUrgent) {
      const before = [...(lines.get(domain) ?? [])].filter((one) => one.isUrgent || !isUrgent);
      const waitMs = pace.waitMs(domain, before.length, now());
      if (waitMs === 0) return begin(domain, now());
      if (waitMs > PATIENCE_MS) throw putOff(domain, waitMs, isUrgent);
      return wait(domain, waitMs, isUrgent);
    },
  };
}

/** Each in the order in which they came. */
function urgentFirst(line: Iterable<Waiter> = []): Waiter[] {
  return [...line].sort((a, b) => Number(b.isUrgent) - Number(a.isUrgent));
}

/** One that is urgent comes back first, and tries for all. */
function putOff(domain: string, waitMs: number, isUrgent: boolean): NotYet {
  const ms = Math.min(Math.max(waitMs, PATIENCE_MS), LONGEST_PUT_OFF_MS);
  return new NotYet(
    `mail to ${domain} waits: as many as may are under way, or it asked for a pause`,
    isUrgent ? ms : ms + Math.random() * SPREAD_MS,
  );
}
