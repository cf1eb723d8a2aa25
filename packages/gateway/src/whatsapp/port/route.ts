/** The way of a device's traffic, where it does not go to WhatsApp directly. */
import type { Agent } from 'node:https';
import type { Socket } from 'node:net';

/** Why a proxy gave no way: nobody was there or it would not connect; or it did not take the credentials. */
export type RouteFailure = 'proxy_unreachable' | 'proxy_auth';

export interface Route {
  /** The proxy's host and port, without credentials. */
  readonly host: string;
  /**
   * A connection to the host as if it had been made directly: bytes only, TLS is the caller's. Throws
   * `RouteFailed` and nothing else. There is no other way while a device has a route.
   */
  connect(to: { host: string; port: number }): Promise<Socket>;
  /** For requests by `node:https`, or without `secure` by `node:http`; `ca`: instead of the system's. */
  agent(options: { secure: boolean; ca: string[] | null }): Agent;
}

/** `detail` says what happened in words that may be shown: it holds no credentials. */
export class RouteFailed extends Error {
  /** Where Node's errors have theirs: whoever tells of a failed connection tells it. */
  readonly code: RouteFailure;
  readonly host: string;
  readonly detail: string;

  constructor(code: RouteFailure, host: string, detail: string) {
    super(`the proxy ${host}: ${detail}`);
    this.name = 'RouteFailed';
    this.code = code;
    this.host = host;
    this.detail = detail;
  }
}
