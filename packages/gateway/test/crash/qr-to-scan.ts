import { setTimeout as pause } from 'node:timers/promises';
import type { Caller } from './api-traffic.ts';

const LOOK_AGAIN_MS = 200;

/**
 * The QR text that stays: the network retires the secret of the first one as soon as it is shown
 * (`companion_reg_refresh`), and no person scans within a few milliseconds.
 */
export async function qrToScan(caller: Caller, deviceId: string): Promise<string> {
  let shown = '';
  for (;;) {
    const { data } = await caller.must('GET', `/qr?device_id=${deviceId}`, 200);
    if (data.qr_code === shown) return shown;
    shown = data.qr_code;
    await pause(LOOK_AGAIN_MS);
  }
}
