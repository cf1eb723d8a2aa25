import { describe } from 'vitest';
import { testCrossingSessions } from '../../../sandbox/test/phones/crossing-sessions.ts';
import { isolateAttempts } from '../../src/whatsapp/baileys/connection/libsignal-sessions.ts';

// Before the phones do it: the classes are shared by the process, and changed once.
isolateAttempts();
describe('the gateway', testCrossingSessions);
