import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../../../../scripts/setup-certs.sh', import.meta.url));

/** A certificate for a name, of an authority of its own. */
export class Certificate {
  private readonly directory = mkdtempSync(path.join(tmpdir(), 'veil-push-'));

  constructor(...names: string[]) {
    execFileSync(SCRIPT, [this.directory, ...names]);
  }

  get authorityFile(): string {
    return path.join(this.directory, 'ca.crt');
  }

  get options(): { key: Buffer; cert: Buffer } {
    return { key: this.read('server.key'), cert: this.read('server.crt') };
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }

  private read(file: string): Buffer {
    return readFileSync(path.join(this.directory, file));
  }
}
