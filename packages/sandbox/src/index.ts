export type { Cdn, CdnLogEntry } from './cdn/cdn.ts';
export { type ControlServer, startControl } from './control/control.ts';
export { type NetworkServer, startNetworkServer } from './endpoint/server.ts';
export type { Faults, StreamErrorKind } from './faults.ts';
export type { Group as NetworkGroup } from './groups/group.ts';
export type { Groups } from './groups/groups.ts';
export type { DeviceAddress, NetworkLink, NetworkPort } from './link.ts';
export { createNetwork, type Network, type NetworkOptions } from './network/network.ts';
export type { Newsletter, PostUpdate } from './newsletters/newsletters.ts';
export {
  type CompanionRegRefresh,
  type LinkFailure,
  type LinkRequest,
  PairingDesk,
} from './pairing/desk.ts';
export type { PhoneMessage } from './phones/inbox.ts';
export { LinkError } from './phones/linking/host.ts';
export {
  type PasskeyAssertionJson,
  type PasskeyCredential,
  type SigningOptions,
  SoftwareAuthenticator,
} from './phones/linking/software-authenticator.ts';
export type { Phone } from './phones/phone.ts';
export { type NewPhone, type Sandbox, type SandboxOptions, startSandbox } from './sandbox.ts';
export type { Account, Directory, RegisteredDevice } from './state/directory.ts';
export { createNoiseCertificates, type NoiseCertificates } from './wire/certificates.ts';
