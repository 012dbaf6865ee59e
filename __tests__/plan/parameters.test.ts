import { describe, expect, it } from 'vitest';
import { completeParameters } from '../../src/plan/parameters.js';
import type { TemplateParameter } from '../../src/plan/plan-types.js';
import type { ParameterUse } from '../../src/plan/parameters.js';

const parameter = (name: string, changes: Partial<TemplateParameter> = {}): TemplateParameter => ({
  name,
  required: false,
  ephemeral: false,
  defaultValue: '',
  options: [],
  ...changes,
});
const useOf = (changes: Partial<ParameterUse> = {}): ParameterUse => ({
  template: 'pod-swdev',
  parameters: {},
  place: 'create_workspaces.templates.pod_workspaces.parameters',
  ...changes,
});
const region = parameter('region', { defaultValue: 'eu-west-1' });
const size = parameter('size', { defaultValue: 'small', options: ['small', 'large'] });
const owner = parameter('owner_email', { required: true });

describe('completeParameters', () => {
  it('gives every parameter a value, also those with a default', () => {
    expect(completeParameters(useOf({ parameters: { size: 'large' } }), [region, size])).toEqual({
      values: { region: 'eu-west-1', size: 'large' },
      problems: [],
    });
  });

  it('passes an empty default on: not passing it would prompt', () => {
    expect(completeParameters(useOf(), [parameter('note')]).values).toEqual({ note: '' });
  });

  it('refuses a required parameter without a value, and says where it goes', () => {
    expect(completeParameters(useOf(), [owner]).problems).toEqual([
      'the template "pod-swdev" needs a value for its parameter "owner_email"; set it in create_workspaces.templates.pod_workspaces.parameters',
    ]);
  });

  it('refuses a parameter that the template does not have', () => {
    const { problems } = completeParameters(useOf({ parameters: { regoin: 'x' } }), [region]);
    expect(problems).toEqual([expect.stringMatching(/has no parameter "regoin".*did you mean "region"\?/)]);
    expect(completeParameters(useOf({ parameters: { a: 'x' } }), []).problems).toEqual([
      expect.stringMatching(/it has no parameters/),
    ]);
  });

  it('refuses a value that is no option, and takes lists of options', () => {
    expect(completeParameters(useOf({ parameters: { size: 'huge' } }), [size]).problems).toEqual([
      expect.stringMatching(/"huge" is no option of the parameter "size".*small, large/),
    ]);
    expect(completeParameters(useOf({ parameters: { size: '["small","large"]' } }), [size]).problems).toEqual(
      [],
    );
  });

  it('leaves out ephemeral parameters unless they are given', () => {
    const once = parameter('reset', { ephemeral: true, defaultValue: 'false' });
    expect(completeParameters(useOf(), [once]).values).toEqual({});
    expect(completeParameters(useOf({ parameters: { reset: 'true' } }), [once]).values).toEqual({
      reset: 'true',
    });
  });

  it('names every problem at once', () => {
    const step = useOf({ parameters: { size: 'huge', nope: 'x' } });
    expect(completeParameters(step, [region, size, owner]).problems).toHaveLength(3);
  });
});
