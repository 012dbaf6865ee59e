import { benchOverhead } from './overhead.js';
import { benchReading } from './reading.js';

/** Prints the figures that the documents quote. Absolute times on shared machines are noise; the ratios are not. */
for (const bench of [benchReading, benchOverhead]) {
  for (const line of await bench()) console.log(line);
  console.log('');
}
