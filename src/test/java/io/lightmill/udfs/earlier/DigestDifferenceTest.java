package io.lightmill.udfs.earlier;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.spark.unsafe.types.UTF8String;
import org.junit.jupiter.api.Test;

class DigestDifferenceTest {

  private static final int MOST = 1000;

  static UTF8String digest(int number) {
    return UTF8String.fromString(DigestUtils.sha256Hex("row " + number).substring(0, 32));
  }

  static List<UTF8String> digests(int from, int to) {
    return IntStream.range(from, to).mapToObj(DigestDifferenceTest::digest).toList();
  }

  /** The difference of two collections, each of which two tasks read. */
  private static Optional<Set<UTF8String>> of(List<UTF8String> first, List<UTF8String> second) {
    DigestDifference all = new DigestDifference(MOST);
    for (int task = 0; task < 2; task++) {
      DigestDifference part = new DigestDifference(MOST);
      for (int i = task; i < first.size(); i += 2) {
        part.add(first.get(i), 1);
      }
      for (int i = task; i < second.size(); i += 2) {
        part.add(second.get(i), -1);
      }
      all.add(part);
    }
    return all.removed();
  }

  @Test
  void theDigestsThatOnlyOneCollectionHasAreTold() {
    assertThat(of(digests(0, 20_000), digests(0, 20_000))).contains(Set.of());
    assertThat(of(List.of(), digests(0, 1))).contains(Set.of(digest(0)));

    Set<UTF8String> differing = new HashSet<>(digests(0, 300));
    differing.addAll(digests(20_000, 20_700));
    assertThat(of(digests(0, 20_000), digests(300, 20_700))).contains(differing);
  }

  @Test
  void moreDifferencesThanTheTableHoldsAreNotTold() {
    assertThat(of(digests(0, 20_000), digests(2000, 22_000))).isEmpty();
  }

  @Test
  void repeatedDigestsCancelOutOneByOne() {
    List<UTF8String> twice =
        Stream.of(digests(0, 10), digests(0, 10)).flatMap(List::stream).toList();

    assertThat(of(twice, twice)).contains(Set.of());
    assertThat(of(twice, digests(0, 10))).contains(new HashSet<>(digests(0, 10)));
    assertThat(of(twice, List.of())).isEmpty();
  }
}
