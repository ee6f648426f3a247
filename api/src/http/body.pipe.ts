import { type ArgumentMetadata, Injectable, type PipeTransform, type Type } from '@nestjs/common';
import { type ValidationError, validateSync } from 'class-validator';
import { type FieldFault, Problem } from '../common/problem.js';

/** `member_jids` and `0` become `member_jids[0]`, as JavaScript would write it. */
const joined = (parent: string, property: string): string => {
  if (parent === '') return property;
  return /^\d+$/.test(property) ? `${parent}[${property}]` : `${parent}.${property}`;
};

function faultsOf(errors: ValidationError[], parent = ''): FieldFault[] {
  return errors.flatMap(({ property, constraints, children }) => {
    const field = joined(parent, property);
    const detail = constraints?.whitelistValidation ? UNKNOWN_FIELD : Object.values(constraints ?? {})[0];
    const own = detail === undefined ? [] : [{ field, detail }];
    return [...own, ...faultsOf(children ?? [], field)];
  });
}

const UNKNOWN_FIELD = 'is not a field of this request';

const STRICT = { whitelist: true, forbidNonWhitelisted: true, stopAtFirstError: true };

/** Names that every object has (`constructor`, `toString` …): class-validator takes them for known fields. */
const inheritedNames = (body: object): FieldFault[] =>
  Object.keys(body)
    .filter((field) => field in Object.prototype)
    .map((field) => ({ field, detail: UNKNOWN_FIELD }));

/**
 * Turns a request body into an instance of its DTO, or refuses it with every invalid field named. Unknown fields are
 * invalid. Nest's own pipe is not used because it lets a JSON array pass where an object is asked for.
 */
@Injectable()
export class BodyPipe implements PipeTransform {
  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if (type !== 'body' || !metatype) return value;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new Problem('malformed_request', 'the body must be a JSON object');
    }
    const inherited = inheritedNames(value);
    // The DTOs are flat, and so is this copy: nothing follows a client's nesting, however deep.
    const dto = Object.assign(new (metatype as Type<object>)(), inherited.length === 0 ? value : {});
    const faults = inherited.length === 0 ? faultsOf(validateSync(dto, STRICT)) : inherited;
    if (faults.length === 0) return dto;
    const summary = faults.map(({ field, detail }) => `${field}: ${detail}`).join('; ');
    throw new Problem('validation_failed', summary, { faults });
  }
}
