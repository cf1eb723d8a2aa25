/** The part of `wuts doctor` that goes out: whether WhatsApp can be reached, and what time it is there. */
import { systemClock } from '../clock.ts';
import { type Settings, WHATSAPP_NETWORK_URL } from '../config.ts';
import { timeOfNetwork, tryNetwork } from '../net/reachability.ts';
import { unreachableText } from '../whatsapp/port/unreachable.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

/** Beyond it certificates, pairing and the times of messages begin to go wrong. */
const CLOCK_TOLERANCE_MS = 60_000;

export async function networkFindings({ network }: Settings): Promise<Finding[]> {
  const findings: Finding[] = [];
  const { host } = new URL(network.url);
  if (network.url !== WHATSAPP_NETWORK_URL) findings.push(warning(`network: ${network.url}, not WhatsApp`));
  const [obstacle, time] = await Promise.all([tryNetwork(network), timeOfNetwork(network)]);
  findings.push(obstacle ? problem(unreachableText(obstacle)) : ok(`${host} can be reached`));
  if (time === null) findings.push(warning('the clock was not compared: nobody told the time'));
  else findings.push(clock(time, host));
  return findings;
}

function clock(theirs: number, host: string): Finding {
  const off = systemClock.now() - theirs;
  if (Math.abs(off) <= CLOCK_TOLERANCE_MS) return ok(`the clock agrees with ${host}`);
  const seconds = Math.round(Math.abs(off) / 1000);
  return problem(`the clock of this machine is ${seconds} s ${off > 0 ? 'ahead' : 'behind'}: set it (NTP)`);
}
