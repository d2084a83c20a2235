import { CarillonError } from "@carillon/domain";
import { ZxcvbnFactory, type ZxcvbnResult } from "@zxcvbn-ts/core";
import { adjacencyGraphs, dictionary } from "@zxcvbn-ts/language-common";

// Made at the start of a worker (a few ten milliseconds), so that no call waits for it.
const zxcvbn = new ZxcvbnFactory({
  dictionary,
  graphs: adjacencyGraphs,
  // What comes after this is not looked at: the time grows with the length.
  maxLength: 100,
});

/** zxcvbn's "safely unguessable": more than 10^8 guesses (Wheeler, "zxcvbn", USENIX Security 2016). */
const leastScore = 3;

/**
 * Throws `password_weak` for a password that is common or easily guessed, with what is wrong with it. There are no
 * rules of composition.
 *
 * @param known what somebody who knows the person would try: username, name, school
 */
export function refuseWeakPassword(password: string, known: readonly string[]): void {
  const words = known.flatMap((text) => [text, ...text.split(/[^\p{L}\p{N}]+/u)]);
  const guesses = words.filter((word) => word.length >= 3);
  const { score, feedback } = zxcvbn.check(password, guesses);
  if (score >= leastScore) return;
  throw new CarillonError("password_weak", `${whatIsWrong(feedback)} ${whatToDo}`);
}

const whatToDo =
  "Choose another: three or four words that have nothing to do with each other are easy to remember.";

/** zxcvbn's warnings are keys: the caller gives them their words. */
function whatIsWrong({ warning }: ZxcvbnResult["feedback"]): string {
  return (warning && warnings[warning]) || "This password is easy to guess.";
}

const common = "Many people use this password, so it is tried first.";
const pattern = "This password is a simple pattern, which is easy to guess.";

const warnings: Readonly<Record<string, string>> = {
  topTen: common,
  topHundred: common,
  common,
  similarToCommon: "This password is too much like one that many people use.",
  wordByItself: "A word by itself is easy to guess.",
  userInputs: "This password is too much like your name, your username or your school.",
  straightRow: pattern,
  keyPattern: pattern,
  simpleRepeat: pattern,
  extendedRepeat: pattern,
  sequences: pattern,
  dates: "A date is easy to guess.",
  recentYears: "A year is easy to guess.",
};
