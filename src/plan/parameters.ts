import { suggestion } from '../config/nearest.js';
import type { CreateWorkspacesStep, TemplateParameter } from './plan-types.js';

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
  step: CreateWorkspacesStep,
  known: readonly TemplateParameter[],
): CompletedParameters {
  const problems: string[] = [];
  const values: Record<string, string> = {};
  const place = `create_workspaces.templates.${step.group}.parameters`;
  for (const name of Object.keys(step.parameters)) {
    if (!known.some((parameter) => parameter.name === name)) {
      const names = known.map((parameter) => parameter.name);
      const hint = names.length === 0 ? 'it has no parameters' : suggestion(name, names);
      problems.push(`the template "${step.template}" has no parameter "${name}" (${place}); ${hint}`);
    }
  }
  for (const parameter of known) {
    const given = Object.hasOwn(step.parameters, parameter.name)
      ? step.parameters[parameter.name]
      : undefined;
    if (given === undefined && parameter.ephemeral) continue;
    const value = given ?? (parameter.required ? undefined : parameter.defaultValue);
    if (value === undefined) {
      problems.push(
        `the template "${step.template}" needs a value for its parameter "${parameter.name}"; set it in ${place}`,
      );
    } else if (parameter.options.length > 0 && value !== '' && !isOption(parameter, value)) {
      problems.push(
        `"${value}" is no option of the parameter "${parameter.name}" of the template "${step.template}"; there is ${parameter.options.join(', ')}`,
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
