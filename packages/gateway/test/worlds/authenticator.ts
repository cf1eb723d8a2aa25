/** A passkey without a browser and without a network: it signs what it is given. */
export { SoftwareAuthenticator } from '@wuts/sandbox';
