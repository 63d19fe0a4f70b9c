package io.lightmill.udfs.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.SparkSession;
import scala.jdk.javaapi.CollectionConverters;
import scala.jdk.javaapi.OptionConverters;

/**
 * What a run leaves as it was. The session is that of all tests in this JVM, so what others left is
 * not an error of this run.
 */
record SessionState(
    Map<String, String> conf, Optional<String> checkpointDir, Set<Object> persistentRdds) {

  static SessionState of(SparkSession session) {
    SparkContext context = session.sparkContext();
    return new SessionState(
        Map.copyOf(CollectionConverters.asJava(session.conf().getAll())),
        OptionConverters.toJava(context.getCheckpointDir()),
        Set.copyOf(CollectionConverters.asJava(context.getPersistentRDDs()).keySet()));
  }

  void assertUnchangedIn(SparkSession session) {
    SessionState now = of(session);
    assertThat(now.conf).isEqualTo(conf);
    assertThat(now.checkpointDir).isEqualTo(checkpointDir);
    // Spark removes an RDD that is garbage; none may be added.
    assertThat(now.persistentRdds).isSubsetOf(persistentRdds);
    assertThat(session.sparkContext().getLocalProperty("spark.job.tags")).isNullOrEmpty();
  }
}
