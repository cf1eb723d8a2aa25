#!/usr/bin/env node
// The command's first file: plain JavaScript that every Node can read, so that one that is too old is
// told so, instead of a syntax error or a crash of a native module. Nothing is imported before the check.
const NEEDED = [22, 18];

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  process.stderr.write(
    `WUTS needs Node ${NEEDED.join('.')} or newer; this is ${process.versions.node}. In a clone, \`npm start\` and \`npm run wuts\` bring their own.\n`,
  );
  process.exit(1);
}
await import('../src/main.ts');
