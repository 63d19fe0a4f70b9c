package io.lightmill.udfs.run;

import java.util.Optional;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * The session that a run plans in: the caller's, or on one machine a copy with fewer shuffle
 * partitions. Spark's default of 200 is meant for clusters, and costs a minute on two cores.
 *
 * @param prompts the same rows in that session
 */
record PlanningSession(SparkSession spark, Optional<Dataset<Row>> prompts) {

  private static final String SHUFFLE_PARTITIONS = "spark.sql.shuffle.partitions";
  private static final String DEFAULT = "200";
  private static final String LOCAL = "8";

  static PlanningSession of(SparkSession spark, Optional<Dataset<Row>> prompts) {
    SparkConf conf = spark.sparkContext().getConf();
    boolean chosen =
        conf.contains(SHUFFLE_PARTITIONS) || !spark.conf().get(SHUFFLE_PARTITIONS).equals(DEFAULT);
    if (chosen || !spark.sparkContext().isLocal()) {
      return new PlanningSession(spark, prompts);
    }
    org.apache.spark.sql.classic.SparkSession copy =
        ((org.apache.spark.sql.classic.SparkSession) spark).cloneSession();
    copy.conf().set(SHUFFLE_PARTITIONS, LOCAL);
    return new PlanningSession(copy, prompts.map(rows -> in(copy, rows)));
  }

  private static Dataset<Row> in(
      org.apache.spark.sql.classic.SparkSession session, Dataset<Row> rows) {
    return org.apache.spark.sql.classic.Dataset.ofRows(
        session, ((org.apache.spark.sql.classic.Dataset<Row>) rows).queryExecution().analyzed());
  }
}
