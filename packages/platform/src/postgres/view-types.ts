import type { CountingAttempt, LatePolicy, MemberRole, Role, TenantProfile } from "@carillon/domain";

/**
 * What readers see of the read models: one view for each table, in a schema named as its projection, without
 * the version. Every view shows the rows of the tenant in scope only.
 */

/** `DATABASE_URL`: what the classroom reads. */
export interface LiveDatabase {
  "directory.tenants": {
    tenant_id: string;
    name: string;
    slug: string;
    region: string;
    tier: TenantProfile["tier"];
    time_zone: string;
    locale: string;
    branding: TenantProfile["branding"];
  };
  "directory.people": {
    tenant_id: string;
    user_id: string;
    username: string;
    name: string;
    email: string | null;
    roles: Role[];
  };
  "directory.classes": {
    tenant_id: string;
    class_id: string;
    code: string;
    title: string;
    /** `2026-09-01` */
    starts_on: string;
    length_days: number;
  };
  "directory.memberships": {
    tenant_id: string;
    class_id: string;
    user_id: string;
    role: MemberRole;
    joined_at: Date;
    left_at: Date | null;
  };
  "directory.assignments": {
    tenant_id: string;
    assignment_id: string;
    class_id: string;
    code: string;
    title: string;
    kind: string;
    weight: number;
    late_policy: LatePolicy;
    /** Work that comes so many seconds after `due_at` is in time. */
    grace_seconds: number;
    counts: CountingAttempt;
    /** Whether a program marks the answers. The key itself is not here. */
    autograded: boolean;
    published_at: Date;
    due_at: Date | null;
  };
  "submissions.submissions": {
    tenant_id: string;
    submission_id: string;
    assignment_id: string;
    class_id: string;
    student_id: string;
    key: string;
    /** Null, as the other three of the content, where another system holds it. */
    sha256: string | null;
    bytes: number | null;
    name: string | null;
    media_type: string | null;
    handed_in_at: Date;
    /** By the due time when it was handed in; null where another system took it in. */
    late: boolean | null;
    /** What lateness takes off the score. */
    penalty_percent: number;
    /** When it lapses without its content; null where that came with it or another system holds it. */
    upload_by: Date | null;
    received_at: Date | null;
    lapsed_at: Date | null;
    banked: boolean;
    /** What counts: `raw_score` less the penalty. */
    score: number | null;
    raw_score: number | null;
    grader: "person" | "answer_key" | null;
    feedback: string | null;
    graded_at: Date | null;
    /** Whether it is the one of the student's attempts that counts now. */
    counts: boolean;
    stream: string;
    /** Of the event that committed or recorded it. */
    revision: number;
    /** Of the event that committed or recorded it, in decimal digits. */
    position: string;
  };
  /** Content in use: what is not here, nobody hands in. */
  "submissions.content_references": {
    tenant_id: string;
    sha256: string;
    /** How many submissions that have not lapsed are of this content. */
    references: number;
  };
}

/** `AUTH_DATABASE_URL`: what a login reads. */
export interface AuthDatabase {
  "credentials.tenants": { tenant_id: string; slug: string; region: string };
  "credentials.accounts": {
    tenant_id: string;
    user_id: string;
    username: string;
    roles: Role[];
    password_hash: string | null;
  };
}

/** `REPORTS_DATABASE_URL`: what a report reads, counted up as events arrive. */
export interface ReportsDatabase {
  "class_progress.classes": {
    tenant_id: string;
    class_id: string;
    code: string;
    length_days: number;
    /** Students who ever joined. */
    registered: number;
    /** Students of those who have left. */
    withdrawn: number;
  };
  "class_progress.assessments": {
    tenant_id: string;
    assignment_id: string;
    class_id: string;
    code: string;
    kind: string;
    /** Days from the class's first day to the due time's day, both in the tenant's time zone. */
    due_day: number | null;
    weight: number;
    /** Students who handed in; each counts once, with the attempt that the assignment counts. */
    submitted: number;
    banked: number;
    /** Of `submitted`, after the due time and the grace; null where there is no due time. */
    late: number | null;
    scored: number;
    /** Of `scored`, rounded half up to two decimals; null where nothing is scored. */
    mean_score: number | null;
    /** Of `scored`, those with 40 and more. */
    passed: number;
  };
}
