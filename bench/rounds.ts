/** Measuring two things against each other: in turn, so that a noisy minute meets both. */

/** One side's figure of one round, higher is better, with further figures to show. */
export interface Figure {
  rate: number;
  /** CPU of the measured process per piece of work, milliseconds. */
  cpuMs?: number;
  p50?: number;
  p99?: number;
}

export interface Spread {
  min: number;
  median: number;
  max: number;
}

export interface Row {
  scenario: string;
  /** What a rate counts per second. */
  unit: string;
  subject: string;
  against: string;
  rounds: { subject: Figure; against: Figure; ratio: number }[];
  ratio: Spread;
  subjectRate: Spread;
  againstRate: Spread;
}

export interface Contest {
  scenario: string;
  unit: string;
  subject: string;
  against: string;
  rounds: number;
  measureSubject(round: number): Promise<Figure>;
  measureAgainst(round: number): Promise<Figure>;
}

/** One round that does not count, then `rounds` of them; the ratio of each is taken within the round. */
export async function compete(contest: Contest): Promise<Row> {
  const rounds: Row['rounds'] = [];
  for (let round = 0; round <= contest.rounds; round += 1) {
    // A B, B A, A B: neither always comes after the other.
    const subjectFirst = round % 2 === 0;
    const first = await (subjectFirst ? contest.measureSubject(round) : contest.measureAgainst(round));
    const second = await (subjectFirst ? contest.measureAgainst(round) : contest.measureSubject(round));
    const [subject, against] = subjectFirst ? [first, second] : [second, first];
    if (round > 0) rounds.push({ subject, against, ratio: subject.rate / against.rate });
  }
  const { scenario, unit, subject, against } = contest;
  return {
    scenario,
    unit,
    subject,
    against,
    rounds,
    ratio: spread(rounds.map((each) => each.ratio)),
    subjectRate: spread(rounds.map((each) => each.subject.rate)),
    againstRate: spread(rounds.map((each) => each.against.rate)),
  };
}

export function spread(values: number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { min: sorted[0] ?? 0, median: quantile(sorted, 0.5), max: sorted.at(-1) ?? 0 };
}

/** Of ascending values; between two of them the upper one. */
export function quantile(sorted: number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
