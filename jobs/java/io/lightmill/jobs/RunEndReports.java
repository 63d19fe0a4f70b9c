package io.lightmill.jobs;

import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.ScheduleOptions;
import io.lightmill.udfs.report.RunReport;
import java.io.PrintWriter;
import java.util.List;
import org.apache.spark.SparkConf;

/** Who learns how a run ended: files, standard output, and a command of the user. */
record RunEndReports(List<SummaryFile> files, PrintWriter err) {

  boolean onStandardOutput() {
    return files.stream().anyMatch(SummaryFile::onStandardOutput);
  }

  void use(SparkConf conf) {
    files.forEach(file -> file.use(conf));
  }

  /**
   * Writes the report; failures are printed and do not change how the run ended.
   *
   * @param status exit status of the process
   */
  void write(GenerationOptions options, RunReport report, int status) {
    files.forEach(file -> file.write(report));
    options
        .find(ScheduleOptions.ON_FINISH)
        .ifPresent(
            command ->
                new FinishHook(command, options.get(ScheduleOptions.ON_FINISH_TIMEOUT), err)
                    .run(report, status));
  }
}
