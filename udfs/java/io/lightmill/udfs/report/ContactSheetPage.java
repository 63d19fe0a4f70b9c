package io.lightmill.udfs.report;

import static io.lightmill.udfs.report.PageText.duration;
import static io.lightmill.udfs.report.PageText.number;
import static io.lightmill.udfs.report.PageText.text;

import io.lightmill.pipeline.Verdict;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.VerdictCounts;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.commons.lang3.StringUtils;

/**
 * The contact sheet as one self-contained page: images, prompts and errors. It loads the images and
 * nothing else, and runs no script. It is both HTML and well-formed XML.
 */
public final class ContactSheetPage {

  /** Maximum number of cards on a page; for longer jobs use an {@link EvenSample}. */
  public static final int MAX_CARDS = 200;

  private ContactSheetPage() {}

  /**
   * The page, to be stored as UTF-8.
   *
   * @param cards all rows of the run, or an {@link EvenSample} of them, which the page then
   *     mentions; at most {@value #MAX_CARDS}
   */
  public static String render(RunFacts run, List<Card> cards) {
    if (cards.size() > MAX_CARDS) {
      throw new IllegalArgumentException(
          "%d cards for a page of %d".formatted(cards.size(), MAX_CARDS));
    }
    return """
    <!DOCTYPE html>
    <html xmlns="http://www.w3.org/1999/xhtml" lang="en">
    <head>
    <meta charset="utf-8"/>
    <meta name="viewport" content="width=device-width, initial-scale=1"/>
    <meta name="color-scheme" content="light dark"/>
    <meta http-equiv="Content-Security-Policy" \
    content="default-src 'none'; img-src * data:; style-src 'unsafe-inline'"/>
    <title>Contact sheet of run %s</title>
    <style>
    %s</style>
    </head>
    <body>
    %s
    <main>
    <ol class="sheet">
    %s
    </ol>
    </main>
    %s
    </body>
    </html>
    """
        .formatted(
            text(run.runId()),
            PageText.resource("/contactsheet/page.css"),
            header(run, cards.size()),
            IntStream.range(0, cards.size())
                .mapToObj(i -> card(cards.get(i), i + 1))
                .collect(Collectors.joining("\n")),
            footer(run, cards.size()));
  }

  private static String header(RunFacts run, int shown) {
    return """
    <header>
    <div class="title">
    <h1>Contact sheet</h1>
    <p>%s</p>
    </div>
    <dl class="facts">
    <div><dt>Model</dt><dd>%s</dd></div>
    <div><dt>Rows</dt><dd>%s</dd></div>
    <div><dt>Time</dt><dd>%s</dd></div>
    </dl>
    <div class="bar" aria-hidden="true">%s</div>
    <ul class="statuses">
    %s
    </ul>
    %s</header>\
    """
        .formatted(
            text(run.runId()),
            text(run.model()),
            shown < run.rows()
                ? "%s, %s of them here".formatted(number(run.rows()), number(shown))
                : number(run.rows()),
            duration(run.duration()),
            statuses(run, ContactSheetPage::share, ""),
            statuses(run, ContactSheetPage::count, "\n"),
            Stream.of(Verdict.Action.BLOCK, Verdict.Action.FLAG)
                .map(action -> verdicts(run, action))
                .collect(Collectors.joining()));
  }

  private static String verdicts(RunFacts run, Verdict.Action action) {
    String categories = run.verdicts().byCategory(action);
    return categories.isEmpty()
        ? ""
        : "<p class=\"verdicts\">%s: %s</p>\n"
            .formatted(StringUtils.capitalize(VerdictCounts.verdictOf(action)), text(categories));
  }

  /** Each status that occurs. */
  private static String statuses(
      RunFacts run, BiFunction<ImageStatus, Long, String> element, String between) {
    return run.statuses().entrySet().stream()
        .filter(entry -> entry.getValue() > 0)
        .map(entry -> element.apply(entry.getKey(), entry.getValue()))
        .collect(Collectors.joining(between));
  }

  private static String share(ImageStatus status, long rows) {
    return "<span class=\"%s\" style=\"flex-grow:%d\"></span>".formatted(styleOf(status), rows);
  }

  private static String count(ImageStatus status, long rows) {
    return "<li class=\"%s\"><b>%s</b> %s</li>"
        .formatted(styleOf(status), number(rows), status.label());
  }

  private static String card(Card card, int number) {
    return """
    <li class="card %s">
    <div class="film">
    <p class="edge" aria-hidden="true"><span>%d</span><span>LIGHTMILL</span></p>
    %s
    <p class="edge" aria-hidden="true"><span>&#9656; %dA</span></p>
    </div>
    <div class="note">
    <p class="id" dir="auto">%s</p>
    %s%s%s<p class="small"><span class="status">%s</span>%s%s</p>
    </div>
    </li>\
    """
        .formatted(
            styleOf(card.status()),
            number,
            card.path().map(path -> image(card, path)).orElseGet(() -> mark(card)),
            number,
            text(card.variant() == 0 ? card.id() : card.id() + " · " + card.variant()),
            card.prompt()
                .map(prompt -> "<p class=\"prompt\" dir=\"auto\">" + text(prompt) + "</p>\n")
                .orElse(""),
            card.errorMessage()
                .map(message -> "<p class=\"error\" dir=\"auto\">" + text(message) + "</p>\n")
                .orElse(""),
            card.flag()
                .map(flag -> "<p class=\"flag\" dir=\"auto\">" + text(flag) + "</p>\n")
                .orElse(""),
            card.status().label(),
            card.size()
                .map(size -> " <span>%d × %d</span>".formatted(size.width(), size.height()))
                .orElse(""),
            card.seed().map(seed -> " <span>seed %d</span>".formatted(seed)).orElse(""));
  }

  private static String image(Card card, String path) {
    String link = text(link(path));
    return """
    <a class="frame" href="%s" title="%s"><img src="%s" alt="%s" loading="lazy"/></a>\
    """
        .formatted(
            link,
            text(card.imageId().orElse(card.id())),
            card.embedded().orElse(link),
            text(card.prompt().orElse(card.id())));
  }

  private static String mark(Card card) {
    String strokes =
        switch (FrameMark.of(card.status())) {
          case BLOCKED -> "M50 27a23 23 0 1 0 .5 0M34 34c12 11 22 22 32 33";
          case INVALID -> "M50 28L75 69 26 70 51 27M50 43v13M50 62v1";
          case FAILED -> "M29 31c14 12 29 26 42 40M72 28C58 41 43 56 28 72";
        };
    return """
    <div class="frame">\
    <svg viewBox="0 0 100 100" role="img" aria-label="%s"><path d="%s"/></svg></div>\
    """
        .formatted(card.status().label(), strokes);
  }

  private static String footer(RunFacts run, int shown) {
    return shown < run.rows()
        ? "<footer>Shows %s of %s rows, taken at even distances. The manifest holds all.</footer>"
            .formatted(number(shown), number(run.rows()))
        : "<footer>Shows all rows of the run.</footer>";
  }

  /** A class of the stylesheet. */
  private static String styleOf(ImageStatus status) {
    return switch (status) {
      case PENDING, UNCERTAIN -> ImageStatus.FAILED.label();
      default -> status.label();
    };
  }

  /** Percent-encoded, and relative whatever the path starts with. */
  private static String link(String path) {
    try {
      return new URI(null, null, "./" + path, null).toASCIIString();
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(e);
    }
  }
}
