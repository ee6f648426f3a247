/** A device as the registry knows it. */
export interface KnownDevice {
  readonly id: string;
  readonly accountId: string;
  readonly kind: string;
  /** The key that the device has proved to hold: 32 bytes of Ed25519, base64. */
  readonly provenKey: string | null;
}

/** Who is connected, and by what right. */
export interface Standing {
  readonly sessionId: string;
  readonly deviceId: string;
}

/** Knows all devices; the feature `devices` does it. */
export abstract class DeviceDirectory {
  /** The device of that id, whoever's it is. */
  abstract find(deviceId: string): Promise<KnownDevice | undefined>;

  /** Of each, in the same order, whether its session lives, of an active account that has the device. */
  abstract standing(connections: readonly Standing[]): Promise<boolean[]>;
}
