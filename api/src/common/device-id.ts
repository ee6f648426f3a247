/** What a device may be called: nothing that a resource (RFC 7622), a URN or a header would have to quote. */
const DEVICE_ID = /^[\w.:-]{1,128}$/;

export const isDeviceId = (text: string): boolean => DEVICE_ID.test(text);

const NUMBER = /^[1-9]\d{0,14}$/;

/** A device as clients write it. */
export type WireId = string | number;

/** An id as clients get it: those that the server gives are numbers, which apps of the field expect; others are text. */
export const wireId = (id: string): WireId => (NUMBER.test(id) ? Number(id) : id);

/** The id that a client means, by a number or a text; undefined for what can't be one. */
export function readDeviceId(value: unknown): string | undefined {
  const text = typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? String(value) : value;
  return typeof text === 'string' && isDeviceId(text) ? text : undefined;
}
