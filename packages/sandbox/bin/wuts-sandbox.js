#!/usr/bin/env node
// The command's first file: plain JavaScript that every Node can read, so that one that is too old is told so.
const NEEDED = [22, 18];

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  process.stderr.write(
    `The sandbox needs Node ${NEEDED.join('.')} or newer; this is ${process.versions.node}. In a clone, \`npm run sandbox\` brings its own.\n`,
  );
  process.exit(1);
}
await import('../src/cli.ts');
