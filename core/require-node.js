// Preloaded by `npm start` and by the command, because a Node that cannot read TypeScript never reaches the first
// line of main.ts.
const [major] = process.versions.node.split(".").map(Number);

if (major < 24) {
  console.error(
    `Cannot start: VM-X needs Node 24 or newer, this is ${process.version}. ` +
      'On Linux "npm ci" brings Node 24 along, which "npm start" and "npx vmx" use; ' +
      'after "npm ci --ignore-scripts" run "npm run postinstall".',
  );
  process.exit(1);
}
