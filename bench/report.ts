/** The table that a run ends with. */
import { type Figure, type Row, type Spread, spread } from './rounds.ts';

interface Machine {
  node: string;
  cpu: string;
  cores: number;
  load: number[];
}

export function report(rows: Row[], machine: Machine): string {
  const head = `Node ${machine.node}, ${machine.cores} × ${machine.cpu}, load ${machine.load[0]?.toFixed(1)}`;
  return [
    '',
    head,
    '',
    '| scenario | ratio: median (min–max) | WUTS | against | unit |',
    '|---|---|---|---|---|',
    ...rows.map(
      (row) =>
        `| ${row.scenario} | **${fixed(row.ratio.median)}** (${fixed(row.ratio.min)}–${fixed(row.ratio.max)}) | ` +
        `${side(row, 'subject')} | ${side(row, 'against')} | ${row.unit} |`,
    ),
    '',
    ...[...new Set(rows.map((row) => `${row.subject}; against ${row.against}`))],
  ].join('\n');
}

/** One row as soon as it is known. */
export function reportRow(row: Row): string {
  const { min, median, max } = row.ratio;
  return `${row.scenario}: ${fixed(median)} (${fixed(min)}–${fixed(max)}), ${side(row, 'subject')} against ${side(row, 'against')}`;
}

function side(row: Row, which: 'subject' | 'against'): string {
  const figures = row.rounds.map((round) => round[which]);
  const rate = which === 'subject' ? row.subjectRate : row.againstRate;
  const details = [
    detail(figures, 'cpuMs', (ms) => `${fixed(ms)} ms CPU each`),
    detail(figures, 'p50', (ms) => `p50 ${fixed(ms)} ms`),
    detail(figures, 'p99', (ms) => `p99 ${fixed(ms)} ms`),
  ].filter((text) => text !== null);
  const shown = rate.median < 10 ? rate.median.toFixed(2) : String(Math.round(rate.median));
  return details.length > 0 ? `${shown} (${details.join(', ')})` : shown;
}

function detail(
  figures: Figure[],
  name: 'cpuMs' | 'p50' | 'p99',
  text: (ms: number) => string,
): string | null {
  const values = figures.map((figure) => figure[name]).filter((value) => value !== undefined);
  if (values.length === 0) return null;
  const middle: Spread = spread(values);
  return text(middle.median);
}

function fixed(value: number): string {
  return value.toFixed(2);
}
