import { ApiProperty } from '@nestjs/swagger';

export const time = (description: string) => ApiProperty({ format: 'date-time', description });
export const optionalTime = (description: string) =>
  ApiProperty({ type: String, format: 'date-time', nullable: true, description });
export const optionalText = (description: string) => ApiProperty({ type: String, nullable: true, description });
