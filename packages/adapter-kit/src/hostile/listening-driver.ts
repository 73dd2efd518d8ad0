interface Query {
  readonly statement: { readonly sql: string };
}
type Begin = (nowMs: number) => Generator<Query, unknown, unknown>;
type Method = (this: unknown, ...args: unknown[]) => unknown;

const works: ReadonlySet<unknown> = new Set(["read", "write", "exclusively"]);

/** A driver of `@sallyport/sql`, of which each statement is heard on its way; every work by itself, none shared. */
export function listeningDriver<D extends object>(driver: D, heard: (sql: string) => void): D {
  const noting = (begin: Begin): Begin =>
    function* (nowMs) {
      const work = begin(nowMs);
      let step = work.next();
      while (step.done !== true) {
        heard(step.value.statement.sql);
        step = work.next(yield step.value);
      }
      return step.value;
    };
  return new Proxy(driver, {
    get(target, name) {
      if (name === "writeShared") return undefined;
      const method = Reflect.get(target, name) as unknown;
      if (typeof method !== "function") return method;
      return (...args: unknown[]): unknown => {
        const [begin, ...rest] = args;
        return (method as Method).apply(target, works.has(name) ? [noting(begin as Begin), ...rest] : args);
      };
    },
  });
}
