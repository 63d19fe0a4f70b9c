package io.lightmill.udfs;

import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Jobs under injected faults on a cluster. See {@link ChaosRun}. */
class ClusterChaosTest {

  @Test
  void nothingIsLostNothingIsThereTwiceAndNothingIsPaidForTwice(@TempDir Path directory)
      throws Exception {
    ChaosRun.in(directory, Set.of(ChaosTrouble.Home.CLUSTER, ChaosTrouble.Home.CLUSTER_WITH_TWINS));
  }
}
