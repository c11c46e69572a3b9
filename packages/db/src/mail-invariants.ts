import { templatesOf } from '@gatehouse/domain/email-category';
import { Prisma } from './generated/client.ts';
import type { Invariant } from './invariant.ts';

/** What a run that began before an address was suppressed may still take: it has a minute, and is given time to write. */
const UNDER_WAY = Prisma.sql`interval '5 minutes'`;

/** What must be true of mails at every moment. */
export const MAIL_INVARIANTS: readonly Invariant[] = [
  {
    // Not the other way round: a worker of a release before this one writes no attempts down.
    name: 'every mail that the mail server took is sent',
    violations: Prisma.sql`
      SELECT format('mail %s is %s, and the mail server took it', e.id, e.status) AS violation
      FROM email e
      WHERE e.status <> 'sent'
        AND EXISTS (SELECT 1 FROM email_attempt a WHERE a.email_id = e.id AND a.outcome = 'accepted')`,
  },
  {
    name: 'every mail that failed was refused',
    violations: Prisma.sql`
      SELECT format('mail %s failed, and nobody refused it', e.id) AS violation
      FROM email e
      WHERE e.status = 'failed'
        AND NOT EXISTS (SELECT 1 FROM email_attempt a WHERE a.email_id = e.id AND a.outcome = 'refused')`,
  },
  {
    // Mails that keep an account its owner's are tried all the same.
    name: 'no mail is taken to an address that refused mail before',
    violations: Prisma.sql`
      SELECT format('mail %s was taken to an address that was suppressed at %s', e.id, s.created_at) AS violation
      FROM email_suppression s
      JOIN email e ON lower(e.recipient) = s.address
      JOIN email_attempt a ON a.email_id = e.id AND a.at > s.created_at + ${UNDER_WAY}
      WHERE e.template <> ALL (${templatesOf('security')}::text[])`,
  },
];
