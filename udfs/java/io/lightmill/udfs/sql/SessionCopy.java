package io.lightmill.udfs.sql;

import org.apache.spark.sql.SparkSession;

/** Sessions in which settings can differ from those of the user's session. */
final class SessionCopy {

  private SessionCopy() {}

  private static final String SHUFFLE_PARTITIONS = "spark.sql.shuffle.partitions";
  private static final long BYTES_PER_PARTITION = 32L << 20;

  /**
   * A copy of a session, its settings included, to scan these many bytes. It has no adaptive
   * execution, which would run the stages of the scan while the query around it is still planned;
   * so it has no more shuffle partitions than the bytes and the cores need.
   */
  static SparkSession scanning(SparkSession session, long bytes) {
    SparkSession copy = ((org.apache.spark.sql.classic.SparkSession) session).cloneSession();
    copy.conf().set("spark.sql.adaptive.enabled", false);
    long needed =
        Math.max(session.sparkContext().defaultParallelism(), bytes / BYTES_PER_PARTITION + 1);
    long most = Long.parseLong(session.conf().get(SHUFFLE_PARTITIONS));
    copy.conf().set(SHUFFLE_PARTITIONS, Math.min(most, needed));
    return copy;
  }
}
