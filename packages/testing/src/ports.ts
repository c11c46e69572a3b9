export { freePort } from '@gatehouse/local/ports';
