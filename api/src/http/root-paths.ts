/** Under which every route stands, but /health and /docs. */
export const BASE_PATH = 'api/v1';

/** What apps ask for that know the root of a server only (protocols of the relay and of the signalling server). */
const AT_ROOT = /^\/(auth\/|(devices|pair|pairings|sms|call|sims|history)([/?]|$))/;

/** The same two apps ask for different lists of devices, and tell them apart by a slash. */
const DEVICES_WITH_SLASH = new RegExp(`^/${BASE_PATH}/devices/(?=\\?|$)`);

/** Answers those paths at the root too: the same route under two names, so never two implementations. */
export function withBasePath({ url = '/' }: { url?: string }): string {
  const path = AT_ROOT.test(url) ? `/${BASE_PATH}${url}` : url;
  return path.replace(DEVICES_WITH_SLASH, `/${BASE_PATH}/devices/keys`);
}
