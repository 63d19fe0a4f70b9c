package io.lightmill.udfs.report;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.lightmill.udfs.option.Redaction;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkExecutorInfo;
import scala.Tuple2;

/**
 * The cluster of a run.
 *
 * @param hosts number of hosts of the driver and the executors
 * @param conf effective settings, without secrets
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record SparkEnvironment(
    String version, String applicationId, String master, long hosts, Map<String, String> conf) {

  public static SparkEnvironment of(SparkContext spark) {
    return new SparkEnvironment(
        spark.version(),
        spark.applicationId(),
        spark.master(),
        Arrays.stream(spark.statusTracker().getExecutorInfos())
            .map(SparkExecutorInfo::host)
            .distinct()
            .count(),
        Redaction.settings(
            Arrays.stream(spark.getConf().getAll())
                .collect(Collectors.toMap(Tuple2::_1, Tuple2::_2))));
  }
}
