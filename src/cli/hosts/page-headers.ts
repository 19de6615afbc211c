/** What the page may load and ask: its own files, and what it makes itself. Decoders of images are WebAssembly. */
export const CONTENT_POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "img-src 'self' blob: data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/**
 * Headers that our own server sends with every file of the page: its workers get the policy by them alone, and some rules
 * are none that a document can carry in itself.
 */
const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': `${CONTENT_POLICY}; frame-ancestors 'none'`,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(self), microphone=(), geolocation=()',
  'referrer-policy': 'no-referrer',
};

/** The worker that fetches files which the user names by their address, and it alone, asks other hosts. */
const FETCHING = /(^|\/)fetch-worker-[^/]*\.js$/;

/** @param path of a file below the page's folder */
export const pageHeaders = (path: string): Readonly<Record<string, string>> =>
  FETCHING.test(path)
    ? {
        ...PAGE_HEADERS,
        'content-security-policy':
          "default-src 'none'; script-src 'self'; connect-src 'self' https: http://localhost:* http://127.0.0.1:*",
      }
    : PAGE_HEADERS;
