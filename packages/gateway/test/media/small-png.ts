/** A whole file: what it is shows in its chunks, not in its first bytes alone. */
export const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAA00lEQVQImQHIADf/AACKY4bz' +
    'r7UKpI3AQg4khDMsbwHYA3MyOwCOMBxS0qG6Is/LFqaFribj70rq2ReabIgA7qOi64NlkQzM2znczg+Vaonyqqz4k3inACXo+lsG' +
    '9jrDm70u5Ok91r7wcTxRsF5WmAApBCmYVl6wUTxx8L7WPenkLr2bwzr2BlsA+uglp3iT+Kyq8olqlQ/O3DnbzAyRZYPrAKKj7ohs' +
    'mhfZ6krv4yauhaYWy88iuqHSUgAcMI47MnMD2AFvLDOEJA5CwI2kCrWv84aoyGOSn3rhRAAAAABJRU5ErkJggg==',
  'base64',
);
