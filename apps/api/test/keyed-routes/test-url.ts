/** Of endpoints that scenes are given past the API, and that may be given up after them. */
export const TEST_URL = 'http://127.0.0.1:9/';
