import type { SocketProtocol } from './protocol.js';

/** What an upgrade asks for. */
export interface Asked {
  readonly protocol: SocketProtocol;
  /** Which of the protocol's paths. */
  readonly path: string;
  /** Of the path or the query; a first frame may bring it otherwise. */
  readonly deviceId: string | undefined;
  /** `?token=`: in no log, and in nothing that is kept. */
  readonly token: string | undefined;
}

interface Route {
  readonly protocol: SocketProtocol;
  readonly path: string;
  readonly pattern: RegExp;
}

const BASE = '(?:/api/v1)?';

/** The paths of all protocols, at the root and below the base of the REST API. */
export class Paths {
  private readonly routes: Route[] = [];

  add(protocol: SocketProtocol): void {
    for (const path of protocol.paths) {
      const pattern = new RegExp(`^${BASE}${path.replace(':device_id', '(?<deviceId>[^/]+)')}/?$`);
      this.routes.push({ protocol, path, pattern });
    }
  }

  /** Undefined for what no protocol answers at. @param target the target of the request */
  match(target: string): Asked | undefined {
    const url = URL.parse(target, 'http://localhost');
    for (const { protocol, path, pattern } of url ? this.routes : []) {
      const found = pattern.exec(url?.pathname ?? '');
      if (!found) continue;
      const query = url?.searchParams;
      const { deviceId: named } = found.groups ?? {};
      const deviceId = named === undefined ? query?.get('device_id') : decoded(named);
      return { protocol, path, deviceId: deviceId ?? undefined, token: query?.get('token') ?? undefined };
    }
    return undefined;
  }
}

/** What can't be decoded stays as it is, with a `%`: no device is called so. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
