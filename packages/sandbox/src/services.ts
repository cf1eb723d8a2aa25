import type { BinaryNode } from 'baileys';
import type { Presences } from './accounts/presence.ts';
import type { ReachOutLocks } from './accounts/reach-out.ts';
import type { Delivery } from './delivery/delivery.ts';
import type { Groups } from './groups/groups.ts';
import type { Newsletters } from './newsletters/newsletters.ts';
import type { AppState, StateFiles } from './state/app-state.ts';
import type { Directory, RegisteredDevice } from './state/directory.ts';
import type { FaultOrders } from './state/fault-orders.ts';

/** Where `media_conn` sends clients; asked on every query, so that the CDN can be started later. */
export interface MediaHosts {
  /** Host, with a port when it is not 443 (a deviation: the real network's hosts have none). */
  hostname(device: number): string;
  authToken(): string;
  /** Puts a picture where everybody can fetch it: these are not encrypted. */
  keepPicture(bytes: Buffer): { readonly url: string; readonly directPath: string };
  /** Without it there are no snapshots of app state, and no patches in files. */
  readonly stateFiles?: StateFiles;
}

/** Answers an iq that needs a part built on top of the network (pairing); `undefined` when it is not its. */
export type IqExtension = (sender: RegisteredDevice, iq: BinaryNode) => BinaryNode | undefined;

/** What the handlers of stanzas work with: the state, those who change it, and the way to tell devices. */
export interface NetworkServices {
  readonly directory: Directory;
  readonly appState: AppState;
  readonly orders: FaultOrders;
  readonly delivery: Delivery;
  readonly groups: Groups;
  readonly newsletters: Newsletters;
  readonly presences: Presences;
  readonly reachOut: ReachOutLocks;
  readonly media: MediaHosts | undefined;
  /** Set by the pairing desk: handles the phone's side of code linking. */
  readonly pairingIq: IqExtension | undefined;
}
