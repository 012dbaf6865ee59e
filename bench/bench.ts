import { benchDeletions } from './deletions.js';
import { benchLoad } from './load.js';
import { benchOverhead } from './overhead.js';
import { benchBigReading, benchReading } from './reading.js';
import { benchStatistics } from './statistics.js';

/** Prints the figures that the documents quote. Absolute times on shared machines are noise; the ratios are not. */
const benches = {
  reading: benchReading,
  big: benchBigReading,
  statistics: benchStatistics,
  overhead: benchOverhead,
  load: benchLoad,
  deletions: benchDeletions,
};
const wanted = process.argv.slice(2);
for (const [name, bench] of Object.entries(benches)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const line of await bench()) console.log(line);
  console.log('');
}
