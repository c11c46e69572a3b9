import type { StoredReplay } from '@gatehouse/db/webhook-replays';

/** A replay as its owner sees it: without its place in the log, which counts the events of all. */
export function replayView(replay: StoredReplay) {
  const { accountId: _, position: __, endSeq: ___, requestId: ____, ...shown } = replay;
  return shown;
}
