package io.lightmill.pipeline.policy;

/** What is wrong in one line of a policy file. */
final class PolicyProblem extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final int line;

  /**
   * @param message without the line: what is wrong, and the fix
   */
  PolicyProblem(int line, String message) {
    super(message);
    this.line = line;
  }

  int line() {
    return line;
  }
}
