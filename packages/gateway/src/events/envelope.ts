/** The one outer object of every event, pushed or pulled. */
import type { Selectable } from 'kysely';
import type { EventsTable } from '../storage/schema.ts';
import type { EventName } from './catalogue/names.ts';

export interface EventEnvelope {
  /** UUID; the same for every delivery of the event: the receiver's key for duplicates. */
  id: string;
  event: EventName;
  /** Unix seconds. */
  timestamp: number;
  device_id: string;
  user_id: string;
  /** As the event's schema in `catalogue/` says. */
  data: object;
}

/** A stored event. `seq` is its place in the order of recording, and the cursor of those who pull. */
export type StoredEvent = Selectable<EventsTable>;
