import { readResultFile } from '../src/measure/result-file.js';
import { readChunks } from '../src/stages/file-pieces.js';

/** Reads a result file as the action does and prints the P95 in milliseconds, for the benchmark beside jq. */
const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('the path of a result file is needed');
const { runs } = await readResultFile(() => readChunks(file));
const sorted = runs.map(({ duration }) => Number(duration)).sort((a, b) => a - b);
const p95 = sorted[Math.ceil(0.95 * sorted.length) - 1];
console.log(JSON.stringify({ p95, runs: runs.length, peakKilobytes: process.resourceUsage().maxRSS }));
