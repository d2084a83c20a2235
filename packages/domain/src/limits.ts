/**
 * Limits that the API, its clients and a page share. This file imports nothing, so that a page can have it alone:
 * `@carillon/domain/limits`.
 */

/** How large content may be that comes with its commit, in one request. In bytes. */
export const maxInlineBytes = 256 * 1024;
/** How large content may be that is uploaded after its commit, in bytes. */
export const maxUploadBytes = 256 * 1024 ** 2;
/** How long after the commit content may come, in milliseconds. */
export const uploadWindowMs = 24 * 3_600_000;

/** How long the client's key of a submission may be, in characters, as are all that follow. */
export const maxKeyLength = 128;
/** Of a file's name and of its media type, each. */
export const maxFileNameLength = 255;
/** Of what a grader says of a submission. */
export const maxFeedbackLength = 10_000;
/** Of the codes of classes and assignments. */
export const maxCodeLength = 64;
/** Of the names of people and schools, and the titles of classes and assignments. */
export const maxNameLength = 200;

export const minPasswordLength = 8;
export const maxPasswordLength = 1024;
export const maxUsernameLength = 128;

/** How long an access token is valid, in seconds. */
export const accessTokenSeconds = 600;
