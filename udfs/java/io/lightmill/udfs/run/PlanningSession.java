package io.lightmill.udfs.run;

import java.util.Optional;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * The session that a run plans in: the caller's, or in local mode a copy with the settings that
 * suit small tables on one machine, where the caller has not set them. So a run in a notebook is as
 * fast as one of the command line, and the caller's session keeps its settings.
 *
 * @param prompts the same rows in that session
 */
record PlanningSession(SparkSession spark, Optional<Dataset<Row>> prompts) {

  static PlanningSession of(SparkSession spark, Optional<Dataset<Row>> prompts) {
    if (!spark.sparkContext().isLocal()) {
      SessionSettings.check(spark.sparkContext());
      return new PlanningSession(spark, prompts);
    }
    org.apache.spark.sql.classic.SparkSession copy =
        ((org.apache.spark.sql.classic.SparkSession) spark).cloneSession();
    SessionSettings.LOCAL.forEach(
        (key, value) -> {
          if (!spark.conf().getAll().contains(key)) {
            copy.conf().set(key, value);
          }
        });
    return new PlanningSession(copy, prompts.map(rows -> in(copy, rows)));
  }

  private static Dataset<Row> in(
      org.apache.spark.sql.classic.SparkSession session, Dataset<Row> rows) {
    return org.apache.spark.sql.classic.Dataset.ofRows(
        session, ((org.apache.spark.sql.classic.Dataset<Row>) rows).queryExecution().analyzed());
  }
}
