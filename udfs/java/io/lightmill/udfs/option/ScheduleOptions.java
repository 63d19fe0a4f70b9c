package io.lightmill.udfs.option;

import static io.lightmill.udfs.option.OptionGroup.COMMAND;

import java.time.Duration;
import java.util.List;

/** What recurring runs of the command line need. */
public final class ScheduleOptions {

  public static final Option<String> ON_FINISH =
      Option.of(
          "on-finish",
          OptionType.text(),
          "COMMAND",
          COMMAND,
          "Shell command that is run when the run has ended, successfully or not. It gets the"
              + " summary as JSON on standard input, and LIGHTMILL_STATUS, LIGHTMILL_EXIT_STATUS,"
              + " LIGHTMILL_RUN_ID, LIGHTMILL_OUTPUT and others in its environment. Its failure is"
              + " reported and changes nothing.");

  public static final Option<Duration> ON_FINISH_TIMEOUT =
      Option.of(
              "on-finish-timeout",
              OptionType.duration(),
              "DURATION",
              COMMAND,
              "Time after which the command of on-finish is killed.")
          .or(Duration.ofMinutes(1));

  static final List<Option<?>> ALL = List.of(ON_FINISH, ON_FINISH_TIMEOUT);

  private ScheduleOptions() {}
}
