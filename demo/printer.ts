/** What the demo shows: headings, requests as curl lines, answers made short, checks. */

const colours = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (code: number) => (text: string) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
const bold = paint(1);
const dim = paint(2);
const green = paint(32);
const red = paint(31);
const cyan = paint(36);

/** Longest string member shown whole; QR images and base64 files are cut. */
const LONGEST_STRING = 64;
/** Longest answer shown, in characters. */
const LONGEST_ANSWER = 300;
/** Members left out of the answers on screen: true, and in the way. */
const NOT_SHOWN = new Set([
  'created_at',
  'updated_at',
  'last_seen',
  'since',
  'request_id',
  'metadata',
  'instructions',
  'webhook_configured',
  'webhook_url',
  'note',
]);

let checks = 0;

export function heading(text: string): void {
  console.log(`\n${bold(text)}`);
}

/** What happens on the simulated network's side, where there is no HTTP request to show. */
export function scene(text: string): void {
  console.log(dim(`  · ${text}`));
}

export function request(curl: string): void {
  console.log(`  ${cyan('$')} ${curl}`);
}

export function answer(status: number, what: string, asked = 1): void {
  const colour = status < 300 ? green : status < 500 ? paint(33) : red;
  const often = asked > 1 ? dim(` (after asking ${asked} times)`) : '';
  console.log(`    ${colour(String(status))} ${what}${often}`);
}

export function checked(text: string): void {
  checks += 1;
  console.log(`    ${green('✓')} ${text}`);
}

export function checkCount(): number {
  return checks;
}

export function plain(text = ''): void {
  console.log(text);
}

export function failure(text: string): void {
  console.error(`\n${red('✗')} ${text}`);
}

/** JSON on one line: some members left out, long strings and long answers cut. */
export function shortJson(value: unknown): string {
  const text = JSON.stringify(value, (key, member) => {
    if (NOT_SHOWN.has(key)) return undefined;
    return typeof member === 'string' ? shortText(member) : member;
  });
  return text.length > LONGEST_ANSWER ? `${text.slice(0, LONGEST_ANSWER)}…` : text;
}

function shortText(text: string): string {
  if (text.length <= LONGEST_STRING) return text;
  return `${text.slice(0, 40)}… (${text.length} characters)`;
}
