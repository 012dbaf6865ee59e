/** Of what was planned, the share that has to be there: with less, what is there says nothing about the rest. */
export const COVERAGE = 0.95;
