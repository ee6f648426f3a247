// Jest evaluates CommonJS dependencies at link time; Nest must be loaded first or its decorators meet a half-made module.
await import('reflect-metadata');
await import('@nestjs/common');
await import('@nestjs/core');
