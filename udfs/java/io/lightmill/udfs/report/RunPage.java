package io.lightmill.udfs.report;

import static io.lightmill.udfs.report.PageText.number;
import static io.lightmill.udfs.report.PageText.text;

import io.lightmill.udfs.ImageStatus;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.commons.codec.digest.DigestUtils;

/**
 * The page of a finished run: counts, charts and reasons, and its pictures, which a script filters
 * and shows. Its policy allows this script, the files beside the page that it loads, images, and
 * nothing else.
 */
public final class RunPage {

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss 'UTC'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  private RunPage() {}

  /**
   * The facts of a run that are not counted.
   *
   * @param started when the caller started
   * @param slots tasks that draw at a time
   * @param imagesPerSecond generated images per second of drawing
   */
  public record Facts(RunFacts run, Instant started, int slots, double imagesPerSecond) {}

  /**
   * The page, to be stored as UTF-8.
   *
   * @param directory of the files with chunks, relative to the page; empty if they are in the page
   * @param chunks script elements with them
   */
  static String render(
      Facts facts,
      PageStatistics statistics,
      PagePictures pictures,
      Optional<String> directory,
      List<String> chunks) {
    String style = PageText.resource("/report/page.css");
    String script = PageText.resource("/report/page.js");
    return """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
    img-src 'self' file: data:; style-src '%s'; script-src '%s' 'strict-dynamic'; \
    base-uri 'none'; form-action 'none'">
    <title>Run %s</title>
    <style>%s</style>
    </head>
    <body>
    %s
    %s
    %s
    %s
    %s
    <script type="application/json" id="index">%s</script>
    %s
    <script>%s</script>
    </body>
    </html>
    """
        .formatted(
            hash(style),
            hash(script),
            text(facts.run().runId()),
            style,
            header(facts, statistics),
            charts(facts, statistics),
            problems(statistics),
            gallery(facts.run(), pictures, directory),
            footer(facts.run(), pictures),
            pictures.index(),
            String.join("\n", chunks),
            script);
  }

  /** A source of a Content-Security-Policy. */
  private static String hash(String content) {
    return "sha256-"
        + Base64.getEncoder()
            .encodeToString(DigestUtils.sha256(content.getBytes(StandardCharsets.UTF_8)));
  }

  private static String header(Facts facts, PageStatistics statistics) {
    RunFacts run = facts.run();
    return """
    <header>
    <p class="kind">Lightmill run</p>
    <h1 dir="auto">%s</h1>
    <dl class="facts">
    <div><dt>Model</dt><dd dir="auto">%s</dd></div>
    <div><dt>Rows</dt><dd>%s</dd></div>
    <div><dt>Started</dt><dd>%s</dd></div>
    <div><dt>Duration</dt><dd>%s</dd></div>
    <div><dt>Devices</dt><dd>%s</dd></div>
    </dl>
    %s
    <ul class="legend">
    %s
    </ul>
    </header>\
    """
        .formatted(
            text(run.runId()),
            text(run.model()),
            number(run.rows()),
            TIME.format(facts.started()),
            PageText.duration(run.duration()),
            devices(statistics),
            PageChart.statuses(occurring(run)),
            occurring(run).entrySet().stream()
                .map(
                    each ->
                        "<li class=\"%s\"><b>%s</b> %s</li>"
                            .formatted(
                                each.getKey().label(),
                                number(each.getValue()),
                                each.getKey().label()))
                .collect(Collectors.joining("\n")));
  }

  private static Map<ImageStatus, Long> occurring(RunFacts run) {
    Map<ImageStatus, Long> occurring = new EnumMap<>(ImageStatus.class);
    run.statuses().forEach((status, rows) -> occurring.merge(status, rows, Long::sum));
    occurring.values().removeIf(rows -> rows == 0);
    return occurring;
  }

  private static String devices(PageStatistics statistics) {
    int devices = statistics.devices().size();
    return devices == 0
        ? "none"
        : devices <= 3
            ? text(String.join(", ", statistics.devices()))
            : number(devices) + ": " + text(statistics.devices().iterator().next()) + ", …";
  }

  private static String charts(Facts facts, PageStatistics statistics) {
    return """
    <section class="charts" aria-label="Performance">
    %s
    %s
    %s
    </section>\
    """
        .formatted(
            PageChart.throughput(statistics.timeline(), facts.imagesPerSecond()).html(),
            PageChart.slots(statistics.timeline(), facts.slots()).html(),
            PageChart.phases(statistics).html());
  }

  private static String problems(PageStatistics statistics) {
    List<PageStatistics.Reason> reasons = statistics.reasons();
    if (reasons.isEmpty()) {
      return "";
    }
    StringBuilder rows = new StringBuilder();
    for (int i = 0; i < reasons.size(); i++) {
      rows.append(problem(reasons.get(i), i));
    }
    return """
    <section class="problems" aria-labelledby="problems-title">
    <h2 id="problems-title">Failures, blocks and flags</h2>
    <div class="scroll" tabindex="0" role="region" aria-labelledby="problems-title">
    <table>
    <thead><tr><th scope="col">Rows</th><th scope="col">Status</th><th scope="col">Reason</th>\
    <th scope="col">For example</th><th><span class="hidden">Filter</span></th></tr></thead>
    <tbody>
    %s</tbody>
    </table>
    </div>
    </section>\
    """
        .formatted(rows);
  }

  private static String problem(PageStatistics.Reason each, int place) {
    PageReason reason = each.reason();
    boolean others = reason.equals(PageReason.OTHERS);
    return """
    <tr class="%s"><td class="count">%s</td><td><span class="status">%s</span></td>\
    <td dir="auto">%s%s</td><td class="example" dir="auto">%s</td>\
    <td><button type="button" data-reason="%d">Show</button></td></tr>
    """
        .formatted(
            others ? "failed" : reason.status(),
            number(each.tally().rows()),
            others ? "several" : reason.status(),
            reason.code().isEmpty() ? "" : "<code>" + reason.code() + "</code> ",
            text(others ? "further reasons" : reason.rule()),
            text(Optional.ofNullable(each.tally().example()).orElse("")),
            place);
  }

  private static String gallery(RunFacts run, PagePictures pictures, Optional<String> directory) {
    String shown =
        occurring(run).keySet().stream()
            .map(
                status ->
                    """
                    <button type="button" class="%1$s" data-status="%1$s" \
                    aria-pressed="false">%1$s</button>\
                    """
                        .formatted(status.label()))
            .collect(Collectors.joining("\n"));
    return """
    <main aria-label="Pictures">
    <div class="tools">
    <label class="search"><span class="hidden">Search in prompts, ids and reasons</span>\
    <input type="search" id="search" placeholder="Search in prompts, ids and reasons" \
    autocomplete="off" spellcheck="false"></label>
    <div class="filters" role="group" aria-label="Filter by status">
    <button type="button" data-status="" aria-pressed="true">all</button>
    %s
    </div>
    <label class="order">Order <select id="order"><option value="table">as in the table</option>\
    <option value="slowest">slowest first</option></select></label>
    <output id="count" aria-live="polite">%s</output>
    </div>
    <p id="reason" hidden><span></span> <button type="button">Remove</button></p>
    <p id="missing" class="notice" hidden>Thumbnails and parameters are in the directory \
    <code>%s</code> beside this page and cannot be loaded. Keep both together, and open the page \
    from there.</p>
    <noscript><p class="notice">The pictures need JavaScript. <code>contact-sheet.html</code> \
    shows some without.</p></noscript>
    <div id="grid" role="list" aria-label="Pictures" data-directory="%s"></div>
    <p id="none" hidden>No picture matches.</p>
    </main>
    <dialog id="details" aria-label="Picture"></dialog>\
    """
        .formatted(
            shown, number(pictures.size()), text(directory.orElse("")), text(directory.orElse("")));
  }

  private static String footer(RunFacts run, PagePictures pictures) {
    String rows =
        pictures.size() < run.rows()
            ? """
            Shows %s of %s rows: a sample that is spread evenly, in which rows without an image \
            have a share of their own. Counts, charts and reasons are those of all rows. The \
            manifest has them all.\
            """
                .formatted(number(pictures.size()), number(run.rows()))
            : "Shows all rows of the run.";
    return "<footer><p>%s The search covers the first %s characters of a prompt.</p></footer>"
        .formatted(rows, number(pictures.indexed()));
  }
}
