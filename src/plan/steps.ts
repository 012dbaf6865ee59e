import type { Plan, Step } from './plan-types.js';

/** The steps of all phases, in order. */
export const stepsOf = (plan: Plan): readonly Step[] => plan.phases.flatMap(({ steps }) => steps);

/** The names of the groups. */
export const groupsOf = (plan: Plan): readonly string[] => stepsOf(plan).map(({ group }) => group);

/** The names of the templates. */
export const templatesOf = (plan: Plan): readonly string[] => stepsOf(plan).map(({ template }) => template);
