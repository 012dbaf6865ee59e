import { startKnownServer } from './known-server.js';

/** A known server as a process of its own: prints its address. `instant`: without delays. */
const server = await startKnownServer({ delays: process.argv[2] !== 'instant' });
console.log(server.url);
// Ends with the process that started it.
process.stdin.resume().on('end', () => process.exit(0));
