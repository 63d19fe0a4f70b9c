package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.LightmillException;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.hadoop.security.KerberosAuthException;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SparkRequirementsTest {

  @Test
  void aMachineWithoutANetworkInterfaceIsReported() {
    assertThatCode(SparkRequirements::requireNetwork).doesNotThrowAnyException();
    assertThatThrownBy(
            () ->
                SparkRequirements.requireNetwork(
                    () -> { // what the JDK throws in a network namespace without interfaces
                      throw new SocketException("No network interfaces configured");
                    }))
        .isInstanceOf(LightmillException.class)
        .hasMessageStartingWith(
            "this machine has no network interface (No network interfaces configured)")
        .hasMessageContaining("ip link set lo up");
  }

  @Test
  void aLocalClusterNeedsASparkDistribution(@TempDir Path home) throws Exception {
    SparkConf conf = new SparkConf(false).setMaster("local-cluster[2,1,1024]");
    assertThatThrownBy(() -> SparkRequirements.requireDistribution(conf, Map.of()))
        .isInstanceOf(LightmillException.class)
        .hasMessageStartingWith(
            "master 'local-cluster[2,1,1024]' starts worker processes from a Spark distribution,"
                + " and SPARK_HOME is not set; set SPARK_HOME");
    Map<String, String> environment = Map.of("SPARK_HOME", home.toString());
    assertThatThrownBy(() -> SparkRequirements.requireDistribution(conf, environment))
        .hasMessageContaining("SPARK_HOME ('%s') is none", home);
    Files.createDirectory(home.resolve("jars"));
    assertThatCode(() -> SparkRequirements.requireDistribution(conf, environment))
        .doesNotThrowAnyException();
  }

  @Test
  void otherMastersNeedNone() {
    for (String master : new String[] {"local", "local[2]", "spark://host:7077", "yarn"}) {
      SparkConf conf = new SparkConf(false).setMaster(master);
      assertThatCode(() -> SparkRequirements.requireDistribution(conf, Map.of()))
          .doesNotThrowAnyException();
    }
  }

  @Test
  void aUserWithoutANameIsToldSo() {
    SparkConf conf = new SparkConf(false).setMaster("local");
    Exception failure =
        new KerberosAuthException(
            "failure to login", new IllegalStateException("Invalid UID, could not determine user"));
    assertThat(SparkRequirements.unstarted(conf, failure))
        .hasMessageContaining("the user id of this process has no name")
        .hasMessageContaining("/etc/passwd");
    assertThat(SparkRequirements.unstarted(conf, new Exception("port is taken.")))
        .hasMessage(
            "Spark does not start with master 'local': port is taken; fix --master or --conf");
  }
}
