declare const opaque: unique symbol;

/** What WhatsApp gave, and takes back only as it was: the cursor of a page, the token of an order. */
export type OpaqueText = string & { readonly [opaque]: true };

/** What comes from WhatsApp itself, as a stored message has it. What comes in a request has the schema of that. */
export function asWhatsAppGave(text: string): OpaqueText {
  return text as OpaqueText;
}
