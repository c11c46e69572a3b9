import type { DueDelivery } from '@gatehouse/db/due-deliveries';

/** What an endpoint is sent of an event (Standard Webhooks); with its place in the order at one that wants them in it. */
export function webhookBody(
  { eventId, type, timestamp, sequence, data }: DueDelivery,
  ordered: boolean,
): string {
  const place = ordered ? `,"sequence":${sequence}` : '';
  return `{"id":"${eventId}","type":${JSON.stringify(type)},"timestamp":"${timestamp}"${place},"data":${data}}`;
}
