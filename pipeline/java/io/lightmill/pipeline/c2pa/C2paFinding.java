package io.lightmill.pipeline.c2pa;

/**
 * One result of a verification.
 *
 * @param code as in chapter 15 of the C2PA specification, such as {@code
 *     assertion.dataHash.mismatch}
 * @param severity what it means for the manifest
 * @param explanation one sentence in lower case
 */
public record C2paFinding(String code, Severity severity, String explanation) {

  /** What a finding means. */
  public enum Severity {
    /** The check succeeded. */
    SUCCESS,
    /** The manifest is valid all the same. */
    NOTICE,
    /** The manifest is invalid. */
    FAILURE
  }

  static C2paFinding success(String code, String explanation) {
    return new C2paFinding(code, Severity.SUCCESS, explanation);
  }

  static C2paFinding notice(String code, String explanation) {
    return new C2paFinding(code, Severity.NOTICE, explanation);
  }

  static C2paFinding failure(String code, String explanation) {
    return new C2paFinding(code, Severity.FAILURE, explanation);
  }

  static C2paFinding of(boolean valid, String success, String failure, String explanation) {
    return valid ? success(success, explanation) : failure(failure, explanation);
  }
}
