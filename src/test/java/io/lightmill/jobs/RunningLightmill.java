package io.lightmill.jobs;

import java.io.PrintWriter;
import java.io.StringWriter;

/** What a command said, and the exit status that it left. */
record RunningLightmill(int status, String out, String err) {

  static RunningLightmill of(String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int status = Lightmill.run(new PrintWriter(out, true), new PrintWriter(err, true), arguments);
    return new RunningLightmill(status, out.toString(), err.toString());
  }
}
