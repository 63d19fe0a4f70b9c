package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProgressBarTest {

  private final StringWriter written = new StringWriter();
  private long milliseconds;

  @Test
  void onATerminalItIsRedrawnInPlace() {
    ProgressBar bar = bar(true, 200);
    at(12_000, bar, 112);
    at(21_429, bar, 200);
    bar.close();
    assertThat(written.toString().split("\r", -1))
        .containsExactly(
            "",
            "drawing  " + " ".repeat(24) + "    0/200    0 %\u001b[K",
            "drawing  █████████████▍            112/200   56 %  9.3/s  ETA 0:09\u001b[K",
            "drawing  ████████████████████████  200/200  100 %  9.3/s  in 0:21\u001b[K",
            "drawing  ████████████████████████  200/200  100 %  9.3/s  in 0:21\u001b[K"
                + System.lineSeparator());
  }

  @Test
  void elsewhereItIsAPlainLineEveryTenSeconds() {
    ProgressBar bar = bar(false, 40);
    for (int second = 1; second <= 25; second++) {
      at(second * 1000L, bar, second);
    }
    bar.close();
    assertThat(written.toString().lines())
        .containsExactly(
            "drawing  10/40   25 %  1.0/s  ETA 0:30",
            "drawing  20/40   50 %  1.0/s  ETA 0:20", "drawing  25/40   62 %  1.0/s  ETA 0:15");
  }

  @Test
  void slowImagesAreTimedOneByOne() {
    ProgressBar bar = bar(false, 1000);
    at(80_000, bar, 4);
    bar.close();
    assertThat(lines()).first().isEqualTo("drawing     4/1000    0 %  20.0 s each  ETA 5:32:00");
  }

  @Test
  void aTerminalIsNotFlooded() {
    ProgressBar bar = bar(true, 1000);
    for (int image = 1; image <= 999; image++) {
      at(image, bar, image);
    }
    assertThat(written.toString().chars().filter(c -> c == '\r').count()).isEqualTo(1 + 9);
  }

  @Test
  void newsThatComeLateOrTooManyDoNotConfuseIt() {
    ProgressBar bar = bar(false, 10);
    at(10_000, bar, 8);
    at(20_000, bar, 6);
    at(40_000, bar, 12);
    bar.close();
    assertThat(lines())
        .containsExactly(
            "drawing   8/10   80 %  1.3 s each  ETA 0:03",
            "drawing   8/10   80 %  2.5 s each  ETA 0:05",
            "drawing  10/10  100 %  4.0 s each  in 0:40",
            "drawing  10/10  100 %  4.0 s each  in 0:40");
  }

  @Test
  void nothingIsDrawnAfterTheEnd() {
    ProgressBar bar = bar(false, 10);
    bar.close();
    at(60_000, bar, 5);
    bar.close();
    assertThat(lines()).containsExactly("drawing   0/10    0 %");
  }

  private List<String> lines() {
    return written.toString().lines().toList();
  }

  private void at(long time, ProgressBar bar, long done) {
    milliseconds = time;
    bar.reach(done);
  }

  private ProgressBar bar(boolean terminal, long total) {
    return new ProgressBar(
        new PrintWriter(written), terminal, () -> milliseconds * 1_000_000, "drawing", total);
  }
}
