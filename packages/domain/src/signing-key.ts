import { generateKeyPairSync } from 'node:crypto';

/** A new Ed25519 private key: PKCS#8 DER in base64. */
export function newSigningKey(): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  return privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64');
}
