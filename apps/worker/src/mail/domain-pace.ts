import { createPause, type Pause, type PauseOptions } from './pause.ts';

/**
 * Whose trouble a failed send was: the domain's, the mail server's (ours), or that of one mail alone, about which the
 * server and the domain did answer. `unknown`: it was cut short.
 */
export type Trouble = 'domain' | 'server' | 'mail' | 'unknown';

export interface DomainPaceOptions {
  /** Sends at most to one domain. */
  atOnce: number;
  domainPause: PauseOptions;
  serverPause: PauseOptions;
}

/** Of the mean: how much one more send counts. */
const WEIGHT = 0.2;

/** Domains in trouble: of more than these, one that is over its pause is forgotten. */
const REMEMBERED = 1_000;

interface Domain {
  running: number;
  /** Milliseconds that a send takes, on the whole. */
  averageMs: number;
  /** When a send began or ended last. */
  changedAt: number;
  pause: Pause;
}

/** Says when a mail may go to a domain. It only reckons: the clock is the caller's, in milliseconds. */
export interface DomainPace {
  /** Milliseconds until a send may begin, as far as can be told, behind as many others; 0 when it may now. */
  waitMs(domain: string, waiting: number, now: number): number;
  begin(domain: string, now: number): void;
  end(domain: string, send: { beganAt: number; trouble: Trouble | null }, now: number): void;
}

export function createDomainPace({ atOnce, ...pauses }: DomainPaceOptions): DomainPace {
  const server = createPause(pauses.serverPause);
  const domains = new Map<string, Domain>();
  return {
    waitMs(name, waiting, now) {
      const domain = domains.get(name);
      const pausedMs = Math.max(server.remainingMs(now), domain?.pause.remainingMs(now) ?? 0);
      if (pausedMs > 0 || domain === undefined) return pausedMs;
      // After a pause one tries for all.
      const limit = domain.pause.isSuspect ? 1 : atOnce;
      if (domain.running + waiting < limit) return 0;
      // One that takes nothing for a while is thought to go on like that.
      const standstillMs = now - domain.changedAt;
      return Math.max(1, standstillMs, (domain.averageMs * (waiting + 1)) / limit);
    },
    begin(name, now) {
      const domain = domains.get(name) ?? {
        running: 0,
        averageMs: 0,
        changedAt: now,
        pause: createPause(pauses.domainPause),
      };
      domain.running += 1;
      domain.changedAt = now;
      domains.set(name, domain);
    },
    end(name, { beganAt, trouble }, now) {
      const domain = domains.get(name);
      if (domain === undefined) throw new Error(`no mail to ${name} is under way`);
      domain.running -= 1;
      domain.changedAt = now;
      domain.averageMs += (now - beganAt - domain.averageMs) * WEIGHT;
      const isAnswer = trouble === null || trouble === 'mail';
      if (trouble === 'server') server.trouble(beganAt, now);
      else if (isAnswer || trouble === 'domain') server.worked(beganAt);
      if (trouble === 'domain') domain.pause.trouble(beganAt, now);
      else if (isAnswer) domain.pause.worked(beganAt);
      if (domain.running === 0 && !domain.pause.isSuspect) domains.delete(name);
      else if (domains.size > REMEMBERED) forgetOne(domains, now);
    },
  };
}

/** In the order in which they came: the first that has nothing under way, and whose pause is over. */
function forgetOne(domains: Map<string, Domain>, now: number): void {
  for (const [name, { running, pause }] of domains) {
    if (running > 0 || pause.remainingMs(now) > 0) continue;
    domains.delete(name);
    return;
  }
}
