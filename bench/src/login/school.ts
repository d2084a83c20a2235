/** The school that logs in, the same on every side. */

export const slug = "storm-school";
export const password = "three bells at nine";
/** Every 20 students 17 have been here before, on their own device: 85 %. */
export const isReturning = (student: number): boolean => student % 20 >= 3;
export const usernameOf = (student: number): string => `student-${String(student).padStart(5, "0")}`;
