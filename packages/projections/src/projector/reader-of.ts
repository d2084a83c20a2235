/** The name under which the bus remembers how far a shard is. */
export const readerOf = ({
  projection: { name, version },
  partition,
}: {
  readonly projection: { readonly name: string; readonly version: number };
  readonly partition: number;
}) => `${name}_v${version}_p${partition}`;
