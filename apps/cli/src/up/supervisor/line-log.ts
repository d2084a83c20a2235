import type { WriteStream } from "node:tty";
import { styleText } from "node:util";
import type { Log } from "@carillon/launcher";

const colours = ["cyan", "yellow", "green", "magenta", "blue", "red"] as const;

/** Prints each line behind the name of the process that said it, in columns; in colours if the stream shows them. */
export function lineLog(stream: WriteStream): Log {
  const colourOf = new Map<string, (typeof colours)[number]>();
  return (name, line) => {
    const colour = colourOf.get(name) ?? colours[colourOf.size % colours.length] ?? "cyan";
    colourOf.set(name, colour);
    stream.write(`${styleText(colour, `${name.padEnd(17)} |`, { stream })} ${line}\n`);
  };
}
