import { chmodSync, existsSync } from 'node:fs';
import { newSigningKey } from '@gatehouse/domain/signing-key';
import { writePrivateFile } from './private-file.ts';

/**
 * Sees to it that there is a file of signing keys, as AUTH_SIGNING_KEYS_FILE names one, which only its owner may
 * read: with the given key, in PKCS#8 DER, base64, or else with a new one. One that is there stays as it is, also
 * when it cannot be understood: the gateway says so.
 */
export function keepSigningKeys(file: string, key: string = newSigningKey()): void {
  if (existsSync(file)) {
    chmodSync(file, 0o600);
    return;
  }
  const keys = [{ key, signsFrom: new Date().toISOString(), retiresAt: null }];
  writePrivateFile(file, `${JSON.stringify({ keys }, null, 2)}\n`);
}
