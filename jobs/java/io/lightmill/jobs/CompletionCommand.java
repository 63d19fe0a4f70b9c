package io.lightmill.jobs;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code lightmill completion}: a script that completes commands, options and values. */
@Command(
    name = "completion",
    description = "Prints a script with which a shell completes commands, options and values.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  bash, in ~/.bashrc:  source <(lightmill completion bash)",
      "  zsh, in ~/.zshrc:    source <(lightmill completion zsh)"
    },
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class)
final class CompletionCommand implements Callable<Integer> {

  /** Shells whose completion is known. */
  enum Shell {
    bash,
    zsh
  }

  /** zsh runs the functions of bash, once it is told to. */
  private static final String ZSH =
      """
      autoload -U +X compinit && compinit -u
      autoload -U +X bashcompinit && bashcompinit
      """;

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "SHELL", description = "bash or zsh.")
  private Shell shell;

  static CommandLine commandLine() {
    return new CommandLine(new CompletionCommand());
  }

  @Override
  public Integer call() {
    CommandLine all = spec.root().commandLine();
    String script = AutoComplete.bash(all.getCommandName(), all);
    spec.commandLine().getOut().print(shell == Shell.zsh ? ZSH + script : script);
    spec.commandLine().getOut().flush();
    return ExitStatus.DONE;
  }
}
