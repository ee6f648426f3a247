import { readdir, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { CONFIG, type Config } from '../../config/config.js';
import { MIGRATIONS_DIRECTORY } from '../../database/migrate.js';
import { DoctorRepository } from './doctor.repository.js';
import { type Finding, info, type Verdict } from './finding.js';
import { look, type Subject } from './look.js';
import { judgeClock, judgeDisk, judgeMigrations, judgeSecretFiles, type SecretFile } from './machine.rules.js';

/** What only the server itself can see: its clock, disk, files and database. */
@Injectable()
export class MachineCheckup {
  constructor(
    private readonly repository: DoctorRepository,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  examine(stop: AbortSignal): Promise<Finding[]> {
    const check = (id: string, probed: string, remedy: string, probe: () => Promise<Verdict>): Promise<Finding> => {
      const subject: Subject = { id, probed, effect: 'this could not be looked at', remedy: () => remedy };
      return look(subject, stop, probe);
    };
    const database = 'log/postgres.log of the state directory says more';
    const files = 'look at the state directory (VEIL_VAR)';
    return Promise.all([
      check('clock.database', 'Clock of PostgreSQL', database, () => this.checkClock()),
      check('database.migrations', 'Migrations of the database', database, () => this.checkMigrations()),
      check('disk', 'Disk of the state directory', files, () => this.checkDisk()),
      check('secrets', 'Files of secrets', files, () => this.checkSecretFiles()),
    ]);
  }

  private async checkClock(): Promise<Verdict> {
    const began = this.clock.milliseconds();
    const time = await this.repository.time();
    return judgeClock(time.getTime() - (began + this.clock.milliseconds()) / 2);
  }

  private async checkMigrations(): Promise<Verdict> {
    const names = await readdir(MIGRATIONS_DIRECTORY);
    const known = names.flatMap((name) => /^(\d+)_.*\.sql$/.exec(name)?.[1] ?? []).sort();
    return judgeMigrations(await this.repository.appliedMigrations(), known);
  }

  async checkDisk(): Promise<Verdict> {
    const { directory } = this.config.state;
    if (!directory) return info('there is no state directory here (VEIL_VAR)');
    const { bsize, blocks, bavail, files, ffree } = await statfs(directory);
    return judgeDisk({ bytes: bsize * blocks, freeBytes: bsize * bavail, files, freeFiles: ffree });
  }

  /** As many as the user who looks can see: root's own directory is closed to that of the API, as it should be. */
  private async checkSecretFiles(): Promise<Verdict> {
    const { directory, secretFiles } = this.config.state;
    const directories = directory ? await directoriesOfSecrets(directory) : [];
    const found = await Promise.all(directories.map(filesIn));
    const files = await Promise.all([...new Set([...found.flat(), ...secretFiles])].map(modeOf));
    return judgeSecretFiles(files.filter((file) => file !== undefined));
  }
}

/** `secrets` of the state directory, and each server's. */
async function directoriesOfSecrets(state: string): Promise<string[]> {
  const servers = await filesIn(state);
  return [path.join(state, 'secrets'), ...servers.map((server) => path.join(server, 'secrets'))];
}

const filesIn = (directory: string): Promise<string[]> =>
  readdir(directory).then(
    (names) => names.map((name) => path.join(directory, name)),
    () => [],
  );

const modeOf = (file: string): Promise<SecretFile | undefined> =>
  stat(file).then(
    (found) => (found.isFile() ? { file, mode: found.mode } : undefined),
    () => undefined,
  );
