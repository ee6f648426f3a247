/** What an installation keeps in files. It is no setting: up.sh places it, and other deployments have none. */
export interface StateConfig {
  /** VEIL_VAR; undefined where there is none. */
  directory: string | undefined;
  /** The files that secrets are read from. */
  secretFiles: string[];
}

export function readState(environment: NodeJS.ProcessEnv): StateConfig {
  const files = Object.entries(environment).filter(([name]) => /^[A-Z][A-Z0-9_]*(SECRET|PASSWORD)_FILE$/.test(name));
  return {
    directory: environment.VEIL_VAR || undefined,
    secretFiles: files.map(([, file]) => file ?? '').filter((file) => file !== ''),
  };
}
