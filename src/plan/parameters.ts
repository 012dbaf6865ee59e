import { suggestion } from '../config/nearest.js';
import type { TemplateParameter } from './plan-types.js';

/** Who uses a template, with the values that it gives. */
export interface ParameterUse {
  readonly template: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Where in the config the values stand. */
  readonly place: string;
}

export interface CompletedParameters {
  readonly values: Readonly<Record<string, string>>;
  /** What keeps the load from starting, a sentence each. */
  readonly problems: readonly string[];
}

/**
 * Every parameter of a template with a value: the CLI prompts for each one that is not given, also for those with a
 * default, and a prompt without a terminal ends the run.
 */
export function completeParameters(
  { template, parameters, place }: ParameterUse,
  known: readonly TemplateParameter[],
): CompletedParameters {
  const problems: string[] = [];
  const values: Record<string, string> = {};
  for (const name of Object.keys(parameters)) {
    if (!known.some((parameter) => parameter.name === name)) {
      const names = known.map((parameter) => parameter.name);
      const hint = names.length === 0 ? 'it has no parameters' : suggestion(name, names);
      problems.push(`the template "${template}" has no parameter "${name}" (${place}); ${hint}`);
    }
  }
  for (const parameter of known) {
    const given = Object.hasOwn(parameters, parameter.name) ? parameters[parameter.name] : undefined;
    if (given === undefined && parameter.ephemeral) continue;
    const value = given ?? (parameter.required ? undefined : parameter.defaultValue);
    if (value === undefined) {
      problems.push(
        `the template "${template}" needs a value for its parameter "${parameter.name}"; set it in ${place}`,
      );
    } else if (parameter.options.length > 0 && value !== '' && !isOption(parameter, value)) {
      problems.push(
        `"${value}" is no option of the parameter "${parameter.name}" of the template "${template}"; there is ${parameter.options.join(', ')}`,
      );
    } else {
      values[parameter.name] = value;
    }
  }
  return { values, problems };
}

/** The value of a multi-select parameter is a JSON list of options. */
function isOption(parameter: TemplateParameter, value: string): boolean {
  return parameter.options.includes(value) || value.startsWith('[');
}
