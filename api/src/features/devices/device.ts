export const DEVICE_KINDS = ['host', 'client', 'mobile', 'desktop', 'web'] as const;
export type DeviceKind = (typeof DEVICE_KINDS)[number];

/** A device as the registry keeps it. */
export interface DeviceRow {
  id: string;
  accountId: string;
  /** The account as clients know it that read numbers. */
  accountNumber: number;
  name: string | null;
  kind: DeviceKind;
  publicKey: string | null;
  keyProvenAt: Date | null;
  createdAt: Date;
  lastSeenAt: Date | null;
}
