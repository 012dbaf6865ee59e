import { nearestRank } from '../src/nearest-rank.js';
import { ascending } from '../src/measure/metric.js';
import { readResultFile } from '../src/measure/result-file.js';
import { withFile } from '../src/stages/file-pieces.js';

/** Reads a result file as the action does and prints the P95 in milliseconds, for the benchmark beside jq. */
const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('the path of a result file is needed');
const { runs } = await withFile(file, readResultFile);
const durations: number[] = [];
// jq counts the times of failed runs as well, so these do here.
for (const { duration } of runs) durations.push(duration);
const p95 = ascending(durations)[nearestRank(runs.length, 0.95) - 1];
console.log(JSON.stringify({ p95, runs: runs.length, peakKilobytes: process.resourceUsage().maxRSS }));
