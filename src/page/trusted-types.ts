/**
 * The page requires Trusted Types: text becomes a script's address by this policy alone, and markup or code by none. It is
 * the default one, since bundlers know `new Worker(new URL(...))` in that form only.
 */
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): unknown;
}

/** @throws TypeError where the address is not one of this site's */
export function ownScript(url: string): string {
  if (new URL(url, document.baseURI).origin !== location.origin)
    throw new TypeError(`${url} is no script of this page`);
  return url;
}

(globalThis as { trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy('default', {
  createScriptURL: ownScript,
});
