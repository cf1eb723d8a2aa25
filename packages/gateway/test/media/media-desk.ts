/** A tenant with one device, and its files as an admin asks for them. */
import { adminOf, MediaWorld, type TestDevice } from './media-world.ts';
import { phoneSays, retryStates } from './phone-says.ts';

export interface MediaDesk {
  world: MediaWorld;
  tenant: string;
  device: TestDevice;
  /** The file of a message, after at most `waitMs` for the phone. */
  resolve(id: string, waitMs?: number, tenantId?: string): ReturnType<MediaWorld['media']['resolve']>;
  /** What became of the wishes for a new upload, the oldest first. */
  states(): Promise<string[]>;
  /** The phone answers the wish for the file of message `A`. */
  answered(answer: Parameters<typeof phoneSays>[2]['answer'], chat?: string): Promise<void>;
}

export async function openMedia(): Promise<MediaDesk> {
  const world = await MediaWorld.create();
  const tenant = await world.tenant();
  const device = await world.device(tenant);
  return {
    world,
    tenant,
    device,
    resolve: (id, waitMs = 0, tenantId = tenant) =>
      world.media.resolve(adminOf(tenantId), { id }, { waitMs }),
    states: () => retryStates(world),
    answered: (answer, chat) => phoneSays(world, device, { answer, ...(chat && { chat }) }),
  };
}
