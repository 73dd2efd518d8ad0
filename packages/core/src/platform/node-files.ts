import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** Small text files: cassettes of tests. */
export const files = {
  /** null: there is no such file. */
  async read(path: string): Promise<string | null> {
    try {
      return await readFile(path, "utf8");
    } catch (error) {
      if ((error as { code?: string }).code === "ENOENT") return null;
      throw error;
    }
  },
  /** Whole or not at all: written beside, then renamed. Makes the folder. */
  async write(path: string, text: string): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    const beside = `${path}.${globalThis.crypto.randomUUID()}.tmp`;
    await writeFile(beside, text);
    await rename(beside, path);
  },
};
