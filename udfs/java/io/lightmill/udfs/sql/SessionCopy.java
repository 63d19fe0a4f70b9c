package io.lightmill.udfs.sql;

import org.apache.spark.sql.SparkSession;

/** Sessions in which settings can differ from those of the user's session. */
final class SessionCopy {

  private SessionCopy() {}

  /**
   * A copy of a session, its settings included, without adaptive execution: that would run the
   * stages of a scan while the query around it is still planned.
   */
  static SparkSession of(SparkSession session) {
    SparkSession copy = ((org.apache.spark.sql.classic.SparkSession) session).cloneSession();
    copy.conf().set("spark.sql.adaptive.enabled", false);
    return copy;
  }
}
