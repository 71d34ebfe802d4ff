// The page runs under Trusted Types: no string becomes markup, and one becomes a script's address only here, when it is our own.

interface Policy { createScriptURL(url: string): unknown }
interface Factory { createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): Policy }

const factory = (globalThis as { trustedTypes?: Factory }).trustedTypes;
const policy = factory?.createPolicy('hubbub', {
  createScriptURL(url) {
    if (new URL(url, location.href).origin !== location.origin) throw new TypeError(`${url} is not ours`);
    return url;
  },
});

/** A script of our own: for workers, which are started by address. */
export const ownScript = (url: string): string => (policy ? policy.createScriptURL(url) as string : url);
