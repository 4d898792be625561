/** Checked reading of a JSON object: the first field that does not fit is named by its path. */

/** What is wrong with a description, in one sentence. */
export class ConfigError extends Error {}

/** Reads the fields of a JSON object; every complaint names the field by its path. */
export class Fields {
  readonly #path: string;
  readonly #values: Record<string, unknown>;

  constructor(path: string, value: unknown) {
    this.#path = path;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new ConfigError(`${path || "the file"} must be an object`);
    }
    this.#values = value as Record<string, unknown>;
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined && this.#values[name] !== null;
  }

  fail(name: string, problem: string): never {
    throw new ConfigError(`${this.#name(name)} ${problem}`);
  }

  object(name: string): Fields {
    return new Fields(this.#name(name), this.#values[name]);
  }

  /** A list of objects; none when the field is not there. */
  objects(name: string): Fields[] {
    if (!this.has(name)) return [];
    const values = this.#values[name];
    if (!Array.isArray(values)) this.fail(name, "must be a list of objects");
    return (values as unknown[]).map((value, i) => new Fields(`${this.#name(name)}[${i}]`, value));
  }

  text(name: string): string {
    const value = this.#values[name];
    return typeof value === "string" && value !== "" ? value : this.fail(name, "must be a text");
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T {
    const found = allowed.find((value) => value === this.#values[name]);
    return found ?? this.fail(name, `must be one of ${allowed.join(", ")}`);
  }

  number(name: string): number {
    const value = this.#values[name];
    return typeof value === "number" && Number.isFinite(value) ? value : this.fail(name, "must be a number");
  }

  count(name: string, options: { least?: number; otherwise?: number } = {}): number {
    const { least = 1, otherwise } = options;
    if (otherwise !== undefined && !this.has(name)) return otherwise;
    const value = this.#values[name];
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= least) return value;
    return this.fail(name, `must be a whole number from ${least}`);
  }

  /** False when it is not there. */
  flag(name: string): boolean {
    const value = this.#values[name] ?? false;
    return typeof value === "boolean" ? value : this.fail(name, "must be true or false");
  }

  numbers(name: string): number[] {
    const value = this.#values[name];
    if (Array.isArray(value) && value.every((item) => typeof item === "number" && Number.isFinite(item))) return value;
    return this.fail(name, "must be a list of numbers");
  }

  #name(name: string): string {
    return this.#path === "" ? name : `${this.#path}.${name}`;
  }
}
