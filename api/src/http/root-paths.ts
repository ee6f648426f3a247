/** Under which every route stands, but /health and /docs. */
export const BASE_PATH = 'api/v1';

/** What apps ask for that know the root of a server only (protocols of the relay and of the signalling server). */
const AT_ROOT = /^\/auth\//;

/** Answers those paths at the root too: the same route under two names, so never two implementations. */
export const withBasePath = ({ url = '/' }: { url?: string }): string =>
  AT_ROOT.test(url) ? `/${BASE_PATH}${url}` : url;
