/** The two forms of a linking QR. */

/**
 * What WhatsApp Web draws since 2025: scanned by any camera it opens WhatsApp, and WhatsApp reads what follows the
 * hash (whatsmeow `makeQRData` in pair.go, Baileys `buildPairingQRData`).
 */
const LINKING_PAGE = 'https://wa.me/settings/linked_devices#';

/** The bare code (`2@…`), as the documented API gives it, and the address that phones are shown. */
export function qrForms(code: string): { bare: string; url: string } {
  const bare = code.startsWith(LINKING_PAGE) ? code.slice(LINKING_PAGE.length) : code;
  return { bare, url: `${LINKING_PAGE}${bare}` };
}
