import { describe } from 'vitest';
import { testCrossingSessions } from './crossing-sessions.ts';

describe('phones', testCrossingSessions);
