import { formPage } from '../../form-page.ts';

/** The page at `/admin/login`. `message` is ours, never a client's. */
export function loginPage(message: string | null): string {
  return formPage({
    title: 'sign in',
    content: `<form method="post" action="/admin/login">
  <h1>Gatehouse queues</h1>
  ${message === null ? '' : `<p role="alert">${message}</p>`}
  <label>E-mail <input name="email" type="email" autocomplete="username" required autofocus></label>
  <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
  <button>Sign in</button>
</form>`,
  });
}
