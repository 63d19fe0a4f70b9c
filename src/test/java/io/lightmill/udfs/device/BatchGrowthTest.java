package io.lightmill.udfs.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;

/** Sizes of batches under computed durations. */
class BatchGrowthTest {

  /** The sizes of the first batches on a device that takes so many seconds for a batch. */
  private static List<Integer> sizes(BatchGrowth growth, int batches, IntToDoubleFunction seconds) {
    List<Integer> sizes = new ArrayList<>();
    for (int i = 0; i < batches; i++) {
      int size = growth.size(0);
      sizes.add(size);
      growth.drew(size, seconds.applyAsDouble(size));
    }
    return sizes;
  }

  /** Kernels of a few images leave parts of a device idle, up to four images at once. */
  @Test
  void batchesGrowUntilTheyDrawNoFaster() {
    assertThat(sizes(BatchGrowth.measured(), 8, size -> Math.max(4, size)))
        .containsExactly(1, 2, 4, 8, 8, 4, 4, 4);
  }

  @Test
  void aGainOfLessThanOneTwentiethIsNone() {
    assertThat(sizes(BatchGrowth.measured(), 6, size -> size == 1 ? 1 : 2 / 1.04))
        .containsExactly(1, 2, 2, 1, 1, 1);
    assertThat(sizes(BatchGrowth.measured(), 3, size -> size == 1 ? 1 : 2 / 1.06))
        .containsExactly(1, 2, 4);
  }

  @Test
  void aSlowFirstBatchOfASizeHasAnotherChance() {
    BatchGrowth growth = BatchGrowth.measured();
    growth.drew(1, 1);
    growth.drew(2, 5); // memory is reserved
    assertThat(growth.size(0)).isEqualTo(2);
    growth.drew(2, 1);
    assertThat(growth.size(0)).isEqualTo(4);
  }

  @Test
  void thereIsALargestSize() {
    List<Integer> sizes = sizes(BatchGrowth.measured(), 20, size -> 1);
    assertThat(sizes.subList(0, 8)).containsExactly(1, 2, 4, 8, 16, 32, 64, 64);
    assertThat(sizes.subList(8, 20)).containsOnly(BatchGrowth.MOST);
  }

  @Test
  void lackOfMemoryHalvesTheSizeForGood() {
    BatchGrowth growth = BatchGrowth.measured();
    assertThat(sizes(growth, 4, size -> 1)).containsExactly(1, 2, 4, 8);
    growth.outOfMemory(16);
    assertThat(sizes(growth, 3, size -> 1)).containsOnly(8);
    growth.outOfMemory(8); // another program takes memory, too
    assertThat(sizes(growth, 3, size -> 1)).containsOnly(4);
    for (int i = 0; i < 5; i++) {
      growth.outOfMemory(growth.size(0));
    }
    assertThat(growth.size(0)).isEqualTo(1);
  }

  /** The last batch of a shape has fewer images than were tried. */
  @Test
  void lackOfMemoryForASmallerBatchIsLackOfMemory() {
    BatchGrowth growth = BatchGrowth.measured();
    assertThat(sizes(growth, 4, size -> 1)).containsExactly(1, 2, 4, 8);
    growth.outOfMemory(5);
    assertThat(sizes(growth, 3, size -> 1)).containsOnly(2);
  }

  @Test
  void onlyBatchesOfTheTriedSizeAreMeasured() {
    BatchGrowth growth = BatchGrowth.measured();
    growth.drew(2, 0.1);
    growth.drew(4, 100);
    assertThat(growth.size(0)).isEqualTo(1);
    growth.drew(1, 0); // a clock without ticks
    assertThat(growth.size(0)).isEqualTo(1);
    growth.drew(1, 1);
    assertThat(growth.size(0)).isEqualTo(2);
  }

  /** A chunk is planned before any of its batches is drawn. */
  @Test
  void batchesAheadGrowAsIfThoseBeforeThemWereFaster() {
    BatchGrowth growth = BatchGrowth.measured();
    assertThat(growth.size(3)).isEqualTo(8);
    assertThat(growth.size(100)).isEqualTo(BatchGrowth.MOST);
    for (int size : new int[] {1, 2, 4, 8}) {
      growth.drew(size, Math.max(2, size));
    }
    assertThat(growth.size(0)).isEqualTo(4); // it is tried once more
    growth.outOfMemory(16);
    growth.drew(4, 4);
    assertThat(growth.size(0)).isEqualTo(2);
    assertThat(growth.size(3)).isEqualTo(2);
  }

  @Test
  void aFixedSizeChangesForLackOfMemoryOnly() {
    BatchGrowth growth = BatchGrowth.fixed(6);
    assertThat(sizes(growth, 5, size -> size * size)).containsOnly(6);
    assertThat(growth.size(3)).isEqualTo(6);
    growth.outOfMemory(6);
    assertThat(sizes(growth, 5, size -> 1)).containsOnly(3);
  }
}
