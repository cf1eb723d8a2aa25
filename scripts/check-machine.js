// Runs before `npm ci` with the machine's own Node, whatever it is: plain old JavaScript.
// The workspace brings its Node as an npm package; those packages are built against glibc.
if (process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime) {
  process.stderr.write(
    'A clone of WUTS brings its own Node, which needs glibc; this system has musl (Alpine): use a Debian-based one.\n',
  );
  process.exit(1);
}
