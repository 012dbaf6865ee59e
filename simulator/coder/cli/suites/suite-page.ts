const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const EACH_S = 0.2;

/** A page with one histogram, in which each finished run has one sample of 0.2 s. */
export function suiteHistogram(name: string, samples: number): string {
  if (samples === 0) return '';
  const family = `coderd_scaletest_${name}`;
  return [
    `# HELP ${family} `,
    `# TYPE ${family} histogram`,
    ...BOUNDS.map((bound) => `${family}_bucket{le="${bound}"} ${bound >= EACH_S ? samples : 0}`),
    `${family}_bucket{le="+Inf"} ${samples}`,
    `${family}_sum ${samples * EACH_S}`,
    `${family}_count ${samples}`,
    '',
  ].join('\n');
}
