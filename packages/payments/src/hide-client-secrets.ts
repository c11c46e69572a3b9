/**
 * A member `client_secret` whose value is a string. In JSON a quote that no backslash precedes begins or ends a string,
 * and only a member's name has a colon behind it: neither a text that quotes this nor a longer name is met.
 */
const CLIENT_SECRET = /(?<!\\)("client_secret"[ \t\n\r]*:[ \t\n\r]*)"[^"\\]*(?:\\.[^"\\]*)*"/g;

/**
 * JSON without the client secrets in it, with which payments are paid and read: those who may read events need not be
 * able to. All else stays as it is, to the byte. What is no JSON comes back as anything.
 */
export function hideClientSecrets(json: string): string {
  return json.replace(CLIENT_SECRET, '$1"hidden"');
}
