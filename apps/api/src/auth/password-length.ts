/** In code points, as Ajv counts them. NIST SP 800-63B asks for eight at least, and to take 64 and more. */
export const MIN_PASSWORD_LENGTH = 8;
export const MAX_PASSWORD_LENGTH = 128;
