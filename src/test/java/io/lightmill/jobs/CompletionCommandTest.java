package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine.Help.Ansi;

class CompletionCommandTest {

  @TempDir Path directory;

  /** Words that bash itself offers for a command line. */
  private List<String> completed(String... words) throws IOException, InterruptedException {
    RunningLightmill script = RunningLightmill.of("completion", "bash");
    assertThat(script.status()).isZero();
    Path file = Files.writeString(directory.resolve("lightmill_completion"), script.out());
    String asking =
        """
        source '%s'
        COMP_WORDS=(lightmill "$@"); COMP_CWORD=$#
        _complete_lightmill lightmill "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
        printf '%%s\\n' "${COMPREPLY[@]}"
        """
            .formatted(file);
    String[] command = new String[words.length + 4];
    command[0] = "bash";
    command[1] = "-c";
    command[2] = asking;
    command[3] = "bash";
    System.arraycopy(words, 0, command, 4, words.length);
    Process bash =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    String replies = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(bash.waitFor()).as(replies).isZero();
    return replies.lines().map(String::strip).toList();
  }

  @Test
  void bashCompletesCommandsOptionsAndChoices() throws IOException, InterruptedException {
    assertThat(completed("pre")).containsExactly("preview");
    assertThat(completed("generate", "--num-inf")).containsExactly("--num-inference-steps");
    assertThat(completed("generate", "--tier", "eff")).containsExactly("efficient");
    assertThat(completed("plan", "--device-h")).containsExactly("--device-hour-price");
  }

  @Test
  void zshLoadsTheFunctionsOfBashFirst() {
    RunningLightmill script = RunningLightmill.of("completion", "zsh");
    assertThat(script.out())
        .startsWith("autoload -U +X compinit && compinit -u")
        .contains("_complete_lightmill");
    RunningLightmill unknown = RunningLightmill.of("completion", "fish");
    assertThat(unknown.status()).isEqualTo(ExitStatus.REFUSED);
    assertThat(unknown.err()).contains("expected one of [bash, zsh]");
  }

  @Test
  void misspeltCommandsAreRefusedWithTheClosestOnes() {
    RunningLightmill run = RunningLightmill.of("genrate");
    assertThat(run.status()).isEqualTo(ExitStatus.REFUSED);
    assertThat(run.err()).contains("'genrate'", "Did you mean", "lightmill generate");
    assertThat(RunningLightmill.of("generate", "--input=a", "--output=b", "--tier=eficient").err())
        .contains("but must be one of quality, efficient; did you mean 'efficient'?");
  }

  @Test
  void coloursAreForTerminalsWithoutNoColor() {
    assertThat(Terminal.ERROR.isColoured(Map.of("LIGHTMILL_TERMINAL", "1"))).isTrue();
    assertThat(Terminal.ERROR.isColoured(Map.of())).isFalse();
    assertThat(Terminal.ERROR.isColoured(Map.of("LIGHTMILL_TERMINAL", "1", "NO_COLOR", "1")))
        .isFalse();
    assertThat(Terminal.ERROR.isColoured(Map.of("LIGHTMILL_TERMINAL", "1", "NO_COLOR", "")))
        .isTrue();
    assertThat(Terminal.OUT.isColoured(Map.of("LIGHTMILL_TERMINAL", "1"))).isFalse();
    assertThat(Terminal.OUT.ansi()).isEqualTo(Ansi.OFF); // the tests have no terminal
  }

  @Test
  void quietAndVerboseAreOptionsOfAllCommands() {
    assertThat(RunningLightmill.of("generate", "--help").out())
        .contains("-q, --quiet", "-v, --verbose");
    assertThat(RunningLightmill.of("-q", "completion", "bash").status()).isZero();
    assertThat(RunningLightmill.of("completion", "-q", "bash").status()).isZero();
  }
}
