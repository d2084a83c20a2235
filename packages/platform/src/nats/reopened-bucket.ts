import { CarillonError } from "@carillon/domain";

/** Runs a call on a bucket. Throws `CarillonError`: the call's own, or `unavailable` where the call fails otherwise. */
export type WithBucket<Bucket> = <Result>(call: (bucket: Bucket) => Promise<Result>) => Promise<Result>;

/**
 * Keeps a JetStream bucket at hand: opened (made, if need be) by the first call, and again by the first call after
 * a failure, since a JetStream that lost its data has lost the bucket too.
 *
 * @param what what a client is told cannot be reached, as in "The session store"
 */
export function keepBucket<Bucket>(what: string, open: () => Promise<Bucket>): WithBucket<Bucket> {
  let bucket: Promise<Bucket> | undefined;
  return async (call) => {
    bucket ??= open();
    const used = bucket;
    try {
      return await call(await used);
    } catch (error) {
      if (error instanceof CarillonError) throw error;
      if (bucket === used) bucket = undefined;
      throw new CarillonError("unavailable", `${what} cannot be reached: try again.`, { cause: error });
    }
  };
}
