import { formPage } from '../../form-page.ts';

const TITLE = 'reminders by mail';

/** What somebody who follows the link in a mail is asked. `token` is a UUID. */
export function unsubscribePage(token: string): string {
  return formPage({
    title: TITLE,
    content: `<form method="post" action="/unsubscribe/${token}">
  <h1>No more reminders by mail?</h1>
  <button>Send me no more reminders</button>
</form>`,
  });
}

/** What he is told once it is done. */
export function unsubscribedPage(): string {
  return formPage({
    title: TITLE,
    content: `<form>
  <h1>No more reminders</h1>
  <p class="done" role="status">You get no more reminders by mail.</p>
</form>`,
  });
}
