/** What a device may be called: nothing that a resource (RFC 7622), a URN or a header would have to quote. */
const DEVICE_ID = /^[\w.:-]{1,128}$/;

export const isDeviceId = (text: string): boolean => DEVICE_ID.test(text);

const NUMBER = /^[1-9]\d{0,14}$/;

/** An id as clients get it: those that the server gives are numbers, which apps of the field expect; others are text. */
export const wireId = (id: string): number | string => (NUMBER.test(id) ? Number(id) : id);
