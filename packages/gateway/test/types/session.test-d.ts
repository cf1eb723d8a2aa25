/** The port: a session is the sum of its abilities, and everything that it does may fail later. */
import type { createBaileysSessionFactory } from '../../src/whatsapp/baileys/session.ts';
import type { SessionConnection } from '../../src/whatsapp/port/connection.ts';
import type { SessionEvent } from '../../src/whatsapp/port/events.ts';
import type { SessionAbilities, SessionFactory, WhatsAppSession } from '../../src/whatsapp/port/session.ts';
import type { Claims, Fits, Is, Refused } from './expect-type.ts';

type Ability = SessionAbilities[keyof SessionAbilities];
type Call<A> = A extends unknown ? A[keyof A] : never;

export type SessionClaims = Claims<
  [
    Is<keyof WhatsAppSession, keyof SessionAbilities | keyof SessionConnection>,
    // No ability hides a part of the connection.
    Is<keyof SessionAbilities & keyof SessionConnection, never>,
    // Abilities hold no state: each member is a call, and all that ask WhatsApp answer later.
    Fits<
      Exclude<Call<Ability>, SessionAbilities['messages']['newId']>,
      (...args: never[]) => Promise<unknown>
    >,
    Refused<SessionAbilities, WhatsAppSession>,
    Fits<ReturnType<typeof createBaileysSessionFactory>, SessionFactory>,
    // Each report has a type of its own.
    Refused<string, SessionEvent['type']>,
    Is<keyof Extract<SessionEvent, { type: 'message' }>, 'type' | 'message'>,
  ]
>;
