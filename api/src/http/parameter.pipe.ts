import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { Problem } from '../common/problem.js';
import { isCleanText } from './fields.js';

/** Nothing has a name that is no line of text; the database would not even look for it. Queries are read where they are asked for. */
@Injectable()
export class ParameterPipe implements PipeTransform {
  transform(value: unknown, { type }: ArgumentMetadata): unknown {
    if (type !== 'param' || isCleanText(value)) return value;
    throw new Problem('not_found', 'nothing has a name with control characters');
  }
}
