import type { StoredReplay } from '@gatehouse/db/webhook-replays';

/** A replay as its owner sees it: without its place in the log, which counts the events of all. */
export function replayView(replay: StoredReplay) {
  const { id, endpointId, since, until, onlyFailed, status, createdAt, updatedAt, endedAt } =
    replay;
  const { total, examined, scheduled, delivered, failed, pending } = replay;
  return {
    ...{ id, endpointId, since, onlyFailed, status, createdAt, updatedAt, endedAt },
    ...{ total, examined, scheduled, delivered, failed, pending },
    // It ends with what there was when it began, whatever the clocks say.
    until: new Date(Math.min(until.getTime(), createdAt.getTime())),
  };
}
