/** What the API tells of what came in. */
import { type Api, type Json, until } from '../harness.ts';

export interface Told {
  /** Every event so far, the oldest first. */
  events(): Promise<Json[]>;
  /** The message as a list shows it. */
  shown(id: string): Promise<Json>;
  /** `data` of the event of that name whose `member` is the id, once it is there. */
  told(name: string, member: string, id: string): Promise<Json>;
}

export function toldBy(api: Api): Told {
  const events = async (): Promise<Json[]> => (await api.get('/events?limit=1000')).body.events;
  return {
    events,
    shown: async (id) => (await api.get(`/messages/${id}`)).body.message,
    told: (name, member, id) =>
      until(`${name} of ${id}`, async () => {
        const found = (await events()).find(({ event, data }) => event === name && data[member] === id);
        return found?.data;
      }),
  };
}
