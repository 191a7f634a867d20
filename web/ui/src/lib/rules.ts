// Limits that the box enforces and a form says beforehand.

/** `lectern-lms` refuses shorter passwords. */
export const LEAST_PASSWORD = 8;
