package io.lightmill.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What {@code scripts/fuzz} starts: the entry point for Jazzer, and a writer of seeds. */
public final class FuzzMain {

  private static final FuzzTarget TARGET =
      FuzzTarget.named(System.getProperty("lightmill.fuzz.target"));

  private FuzzMain() {}

  /** Called by Jazzer with every input. */
  public static void fuzzerTestOneInput(byte[] input) {
    TARGET.run(input);
  }

  /** Writes the seeds to a directory. */
  public static void main(String[] arguments) throws IOException {
    Path directory = Files.createDirectories(Path.of(arguments[0]));
    List<byte[]> seeds = TARGET.seeds();
    for (int i = 0; i < seeds.size(); i++) {
      Files.write(directory.resolve("seed-%02d".formatted(i)), seeds.get(i));
    }
  }
}
