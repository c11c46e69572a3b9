import Type, { type Static } from 'typebox';
import { defineNotice, type Notice } from '../notice.ts';

const data = Type.Object({
  endpointId: Type.String(),
  url: Type.String(),
  /** `gone`: it answered 410. `failing`: it has only failed for days. */
  reason: Type.String(),
  /** RFC 3339. */
  disabledAt: Type.String(),
});

type Data = Static<typeof data>;

const TITLE = 'A webhook endpoint was switched off';

const lead = ({ reason }: Data): string =>
  reason === 'gone'
    ? 'Your webhook endpoint answered that it is gone for good (410), so it is sent nothing any more.'
    : 'Your webhook endpoint has answered no request with success for five days, so it is sent nothing any more.';

const notice = (disabled: Data): Notice => ({
  title: TITLE,
  lead: lead(disabled),
  details: [
    ['URL', disabled.url],
    ['Endpoint', disabled.endpointId],
    ['Time', disabled.disabledAt],
  ],
  rest: [
    'What it was still to be sent waits for it. Switch the endpoint on again when it works, and it is sent that; a ' +
      'replay gives it what has happened in between.',
  ],
});

/** Tells the owner of a webhook endpoint that it is sent nothing any more, and why. */
export const webhookEndpointDisabled = defineNotice({
  name: 'webhook-endpoint-disabled',
  data,
  sample: {
    endpointId: '019a9d5c-7b1e-7c42-9f00-3a5f0c1d2e4b',
    url: 'https://example.com/webhooks',
    reason: 'failing',
    disabledAt: '2026-11-20T08:00:00.000Z',
  },
  subject: () => TITLE,
  notice,
});
