/**
 * Rows of the table in the README whose parts do not exist yet, each with what it waits for. A row leaves this list
 * together with the change that brings its part, and its test.
 */
export const LATER: ReadonlyMap<string, string> = new Map([
  ['F6', 'a series that covers only a part of the load: no series of monitors is read yet'],
  ['F8', 'no baseline: nothing is compared with earlier runs yet'],
  ['F9', 'a benchmark that vanished: nothing is compared with earlier runs yet'],
  ['F10', 'a bad value stored as the baseline: no baseline is stored yet'],
  ['F12', 'an implausible improvement: nothing is compared with earlier runs yet'],
  ['F17', 'a weekly failure that nobody reads: no issue is raised yet'],
  [
    'F20',
    'a comment or check that is refused for a fork: none is written yet, and the summary needs no token',
  ],
]);
