package io.lightmill.udfs;

import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Jobs under injected faults whose tasks run in the driver. See {@link ChaosRun}. */
class ChaosTest {

  @Test
  void nothingIsLostNothingIsThereTwiceAndNothingIsPaidForTwice(@TempDir Path directory)
      throws Exception {
    ChaosRun.in(directory, Set.of(ChaosTrouble.Home.LOCAL));
  }
}
