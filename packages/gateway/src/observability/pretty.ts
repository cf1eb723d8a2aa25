import type { DestinationStream } from 'pino';
import { PinoPretty } from 'pino-pretty';

/** Lines for people at a terminal. In this process: a worker thread would lose lines at a crash. */
export function pretty(): DestinationStream {
  return PinoPretty({ colorize: process.stdout.isTTY === true, translateTime: 'SYS:HH:MM:ss.l', sync: true });
}
