/** WhatsApp's own network: its Noise root is compiled into the library and is never replaced for it. */
export const WHATSAPP_NETWORK_URL = 'wss://web.whatsapp.com/ws/chat';

/** Why a session ended. The names are stable: they are shown to users. */
export type CloseReason =
  | 'stopped' // we closed it
  | 'restart_required' // 515, a normal step after pairing
  | 'connection_lost' // socket closed or went silent
  | 'proxy_unreachable' // the device's proxy is not there, or gives no way to WhatsApp
  | 'proxy_auth' // the device's proxy does not take the credentials
  | 'logged_out' // 401, 516: the phone or the server removed this companion, or we logged out
  | 'replaced' // 440: another client uses the same credentials
  | 'banned' // 403, 402 (temporary)
  | 'outdated' // 405: the client version is no longer accepted
  | 'bad_session' // 411, 500: the credentials do not work
  | 'service_unavailable' // 500 and 503 at login, 503 later
  | 'refused' // the login was refused with a code that says nothing else
  | 'qr_timeout' // nobody scanned in time
  | 'pairing_failed'; // pair-success could not be verified

/** The life of a session. What it goes through comes as events. */
export interface SessionConnection {
  /** Opens the socket. */
  start(): Promise<void>;
  /** Closes the socket and keeps the credentials; resolves when it is closed. */
  stop(): Promise<void>;
  /** Tells the server to remove this companion, then closes. Needs an open session. */
  logout(): Promise<void>;
}
