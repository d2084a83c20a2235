/** The schools that hand in, the same on every side. All is by number, so that no list has to be passed on. */
import {
  type AssignmentId,
  assignmentIdOf,
  type ClassId,
  classIdOf,
  type TenantId,
  tenantIdOf,
  type UserId,
  userIdOf,
} from "@carillon/domain";
import { answersOf } from "./answers.ts";
import type { HandIn } from "./hand-in.ts";

const schools = 5;
const classes = 40;
const assignmentsOfClass = 20;
const contentBytes = 4096;

export interface SchoolClass {
  readonly slug: string;
  readonly tenantId: TenantId;
  readonly classId: ClassId;
  readonly code: string;
  readonly assignments: readonly { readonly code: string; readonly id: AssignmentId }[];
}

export interface Student {
  readonly username: string;
  readonly id: UserId;
  readonly schoolClass: SchoolClass;
}

const schoolClasses: readonly SchoolClass[] = Array.from({ length: classes }, (_, number) => {
  const slug = `flood-school-${number % schools}`;
  const tenantId = tenantIdOf(slug);
  const code = `class-${number}`;
  const classId = classIdOf(tenantId, code);
  const assignments = Array.from({ length: assignmentsOfClass }, (_, n) => {
    const code = `quiz-${n}`;
    return { code, id: assignmentIdOf(classId, code) };
  });
  return { slug, tenantId, classId, code, assignments };
});

export interface Schools {
  readonly classes: readonly SchoolClass[];
  readonly students: readonly Student[];
  /** The n-th hand-in: everybody's turn comes again and again, for one quiz after another. */
  handIn(n: number): HandIn;
}

/** Five schools with 40 classes together, each with 20 quizzes, and so many students. */
export function schoolsOf(students: number): Schools {
  const everybody = Array.from({ length: students }, (_, number): Student => {
    const schoolClass = at(schoolClasses, number);
    const username = `student-${String(number).padStart(5, "0")}`;
    return { username, id: userIdOf(schoolClass.tenantId, username), schoolClass };
  });
  return {
    classes: schoolClasses,
    students: everybody,
    handIn(n) {
      const { id, schoolClass } = at(everybody, n);
      return {
        tenantId: schoolClass.tenantId,
        studentId: id,
        assignmentId: at(schoolClass.assignments, Math.floor(n / students)).id,
        key: `hand-in-${n}`,
        content: answersOf(`hand-in ${n} of ${id}`, contentBytes),
      };
    },
  };
}

/** The n-th, beginning again after the last. */
function at<Item>(items: readonly Item[], n: number): Item {
  const item = items[n % items.length];
  if (item === undefined) throw new RangeError("there is nobody");
  return item;
}
