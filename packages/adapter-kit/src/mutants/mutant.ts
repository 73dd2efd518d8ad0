/** An adapter that is wrong on purpose, made from a right one. */
export interface Mutant<P> {
  readonly name: string;
  /** The concerns whose cases have to go red: each of them, by at least one case. */
  readonly concerns: readonly string[];
  wrap(right: P): P;
}

/** The right object with some of its methods replaced. */
export function replaced<P extends object>(right: P, wrong: Partial<P>): P {
  return new Proxy(right, {
    get(target, name) {
      const method: unknown = Reflect.get(wrong, name) ?? Reflect.get(target, name);
      return typeof method === "function" ? (method.bind(name in wrong ? wrong : target) as unknown) : method;
    },
  });
}

/** Lets others run: between looking and acting, where a race is lost. */
export const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
