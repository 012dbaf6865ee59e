import type { Invocation } from './invocation.js';
import { type OutputSpec, writeOutput } from './outputs.js';
import { failures, type Results, resultsJson, resultsText } from './results.js';

function withFaults(invocation: Invocation, results: Results): { results: Results; passed: number } {
  const { behaviour } = invocation;
  const kept = { ...results, runs: results.runs.slice(0, results.runs.length - behaviour.dropRuns) };
  const passed = kept.runs.length - failures(kept);
  return { results: kept, passed: behaviour.totalsContradictRuns ? Math.max(0, passed - 1) : passed };
}

/** Writes the results to every output, with the faults that were asked for. */
export function writeResults(invocation: Invocation, outputs: OutputSpec[], complete: Results): void {
  const { behaviour } = invocation;
  const { results, passed } = withFaults(invocation, complete);
  for (const spec of outputs) {
    if (spec.format === 'json' && behaviour.noJson) continue;
    const content =
      spec.format === 'json' ? resultsJson(results, invocation.version, passed) : resultsText(results);
    const cut = spec.format === 'json' && behaviour.truncateJson;
    writeOutput(spec, cut ? content.slice(0, Math.floor(content.length / 2)) : content);
  }
}
