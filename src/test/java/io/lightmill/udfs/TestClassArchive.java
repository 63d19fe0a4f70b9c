package io.lightmill.udfs;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lightmill.s3.S3Server;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.commons.io.file.PathUtils;

/**
 * A class-data archive (AppCDS) for JVMs that tests start. With it, a driver's start and first job
 * take about half the processor time. {@link ArchiveTraining} makes it, once per build. Archives
 * need a class path of jars, so the directories of classes are packed.
 */
record TestClassArchive(String classPath, Path file) {

  private static final Path ROOT = Path.of("target/test-jvm").toAbsolutePath();
  private static final int ROWS = 2;

  private static final class Holder {
    static final TestClassArchive CURRENT = locked();
  }

  static TestClassArchive current() {
    return Holder.CURRENT;
  }

  /** The option of a JVM. */
  String option() {
    return "-XX:SharedArchiveFile=" + file;
  }

  /** JVMs that run tests at the same time share the archive. */
  private static TestClassArchive locked() {
    try {
      Files.createDirectories(ROOT);
      try (FileChannel channel =
              FileChannel.open(
                  ROOT.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
          FileLock lock = channel.lock()) {
        assert lock.isValid();
        return opened();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static TestClassArchive opened() throws IOException {
    Path directory = ROOT.resolve(version());
    TestClassArchive archive = new TestClassArchive(jars(directory), directory.resolve("jsa"));
    if (!Files.exists(archive.file)) {
      for (Path old : children(ROOT)) {
        if (Files.isDirectory(old)) {
          PathUtils.deleteDirectory(old);
        }
      }
      Files.createDirectories(directory);
      for (Path entry : directories()) {
        pack(entry, packed(directory, entry));
      }
      archive.create(directory);
    }
    return archive;
  }

  /** Changes with the JVM and with each class. */
  private static String version() throws IOException {
    StringBuilder state = new StringBuilder(System.getProperty("java.runtime.version"));
    state.append(TestJvm.entries());
    for (Path entry : directories()) {
      for (Path file : files(entry)) {
        state.append(file).append(Files.getLastModifiedTime(file)).append(Files.size(file));
      }
    }
    return DigestUtils.sha256Hex(state.toString()).substring(0, 16);
  }

  private static String jars(Path directory) {
    return TestJvm.entries().stream()
        .map(entry -> Files.isDirectory(entry) ? packed(directory, entry) : entry)
        .map(Path::toString)
        .collect(Collectors.joining(File.pathSeparator));
  }

  private static List<Path> directories() {
    return TestJvm.entries().stream().filter(Files::isDirectory).toList();
  }

  private static Path packed(Path directory, Path entry) {
    return directory.resolve(entry.getFileName() + ".jar");
  }

  private static void pack(Path entry, Path jar) throws IOException {
    try (OutputStream file = Files.newOutputStream(jar);
        ZipOutputStream zip = new ZipOutputStream(file)) {
      zip.setLevel(0);
      for (Path content : files(entry)) {
        zip.putNextEntry(new ZipEntry(entry.relativize(content).toString()));
        Files.copy(content, zip);
        zip.closeEntry();
      }
    }
  }

  /** A job and its rerun, on S3, load what most of these JVMs load. */
  private void create(Path directory) throws IOException {
    Path written = directory.resolve("written");
    Path log = directory.resolve("log");
    try (S3Server s3 = S3Server.start()) {
      s3.put("prompts.csv", String.join("\n", TestJob.rows(ROWS)).getBytes(UTF_8));
      List<String> settings = new ArrayList<>(List.of("spark.master=local[2]"));
      s3.settings(s3.endpoint())
          .forEach((key, value) -> settings.add("spark.hadoop." + key + "=" + value));
      Process driver =
          TestJvm.builder(
                  "1g",
                  List.of("-XX:ArchiveClassesAtExit=" + written),
                  classPath,
                  ArchiveTraining.class.getName(),
                  settings)
              .redirectErrorStream(true)
              .redirectOutput(log.toFile())
              .start();
      try (var jobs = driver.outputWriter(UTF_8)) {
        String notes = Files.createDirectories(directory.resolve("notes")).toString();
        for (int run = 0; run < 2; run++) {
          RecordingLoader loader = new RecordingLoader(notes, "", "", 0, false);
          ChaosDriver.Job job =
              new ChaosDriver.Job("run" + run, s3.uri("prompts.csv"), s3.uri("out"), loader);
          jobs.write(job.line() + "\n");
        }
      }
      if (driver.waitFor() != 0 || !Files.exists(written)) {
        throw new IllegalStateException("no class-data archive: " + Files.readString(log));
      }
    } catch (IOException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
    Files.move(written, file, StandardCopyOption.ATOMIC_MOVE);
  }

  private static List<Path> files(Path directory) throws IOException {
    try (Stream<Path> all = Files.walk(directory)) {
      return all.filter(Files::isRegularFile).sorted().toList();
    }
  }

  private static List<Path> children(Path directory) throws IOException {
    try (Stream<Path> all = Files.list(directory)) {
      return all.toList();
    }
  }
}
