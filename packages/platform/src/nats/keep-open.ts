import { CarillonError } from "@carillon/domain";

/** Runs a call on a resource. Throws `CarillonError`: the call's own, or `unavailable` where the call fails otherwise. */
export type WithOpen<Resource> = <Result>(call: (resource: Resource) => Promise<Result>) => Promise<Result>;

/**
 * Keeps a bucket or stream of JetStream at hand: opened (made, if need be) by the first call, and again by the first call
 * after a failure, since a JetStream that lost its data has lost the bucket too.
 *
 * @param what what a client is told cannot be reached, as in "The session store"
 */
export function keepOpen<Resource>(what: string, open: () => Promise<Resource>): WithOpen<Resource> {
  let resource: Promise<Resource> | undefined;
  return async (call) => {
    resource ??= open();
    const used = resource;
    try {
      return await call(await used);
    } catch (error) {
      if (error instanceof CarillonError) throw error;
      if (resource === used) resource = undefined;
      throw new CarillonError("unavailable", `${what} cannot be reached: try again.`, { cause: error });
    }
  };
}
